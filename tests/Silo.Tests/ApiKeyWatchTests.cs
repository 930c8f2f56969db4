using System.Collections.Concurrent;
using Grid.Abstractions.Apps;
using Grid.Hosting.Secrets;
using Grid.Hosting.Settings;
using Grid.Tokens;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Grid.Silo.Tests;

/// <summary>Files with the installation's API keys that are replaced while Grid runs, by whatever way of writing.</summary>
public sealed class ApiKeyWatchTests : IDisposable
{
    private const string Old = "an-old-key-of-the-installation-01";
    private const string New = "the-new-key-of-the-installation-02";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-keys-").FullName;
    private readonly Lines _log = new();

    private string File => Path.Combine(_folder, "api-keys");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("API_KEYS_FILE")]
    [InlineData("Grid__Core__ApiKeys_FILE")]
    public void What_is_written_into_the_file_is_in_force_once_it_has_stayed_for_a_look(string variable)
    {
        System.IO.File.WriteAllText(File, Old + "\n");
        var (watch, installation) = Watch((variable, File));
        System.IO.File.WriteAllText(File, $"{Old},{New}\n");

        watch.Look();
        Assert.Equal([Old], InForce(installation));

        watch.Look();
        Assert.Equal([Old, New], InForce(installation));

        System.IO.File.WriteAllText(File, New);
        Look(watch, 2);
        Assert.Equal([New], InForce(installation));
        Assert.Equal([1016, 1016], _log.Ids);
        Assert.DoesNotContain(_log.All, line => line.Text.Contains(Old, StringComparison.Ordinal) || line.Text.Contains(New, StringComparison.Ordinal));
        Assert.Contains(variable, _log.All.First().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_that_is_turned_to_another_folder_as_Kubernetes_does_it_is_followed()
    {
        Publish("1", Old);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "..data"), "1");
        System.IO.File.CreateSymbolicLink(File, Path.Combine("..data", "api-keys"));
        var (watch, installation) = Watch(("API_KEYS_FILE", File));

        // The same length and, as restored files have, the same times.
        Publish("2", Old[..^2] + "99");
        System.IO.File.SetLastWriteTimeUtc(Path.Combine(_folder, "2", "api-keys"), System.IO.File.GetLastWriteTimeUtc(Path.Combine(_folder, "1", "api-keys")));
        Directory.Delete(Path.Combine(_folder, "..data"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "..data"), "2");
        Directory.Delete(Path.Combine(_folder, "1"), recursive: true);

        Look(watch, 2);

        Assert.Equal([Old[..^2] + "99"], InForce(installation, Old[..^2] + "99"));
        Assert.Null(watch.Trouble);
    }

    [Fact]
    public void What_is_half_written_is_never_in_force()
    {
        System.IO.File.WriteAllText(File, Old);
        var (watch, installation) = Watch(("API_KEYS_FILE", File));

        // Each a list that could be one.
        foreach (var part in new[] { "", Old[..25], Old, $"{Old},{New[..22]}", $"{Old},{New}" })
        {
            System.IO.File.WriteAllText(File, part);
            watch.Look();
            Assert.Equal([Old], InForce(installation));
        }

        watch.Look();
        Assert.Equal([Old, New], InForce(installation));
        Assert.Equal([1016], _log.Ids);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData(",,")]
    [InlineData("too-short")]
    [InlineData("an-old-key-of-the-installation-01,no key at all, that one")]
    public void What_is_no_key_keeps_the_old_ones_and_is_told_once(string content)
    {
        System.IO.File.WriteAllText(File, Old);
        var (watch, installation) = Watch(("API_KEYS_FILE", File));
        System.IO.File.WriteAllText(File, content);
        Look(watch, 10);

        Assert.Equal([Old], InForce(installation));
        Assert.Equal([1017], _log.Ids);
        Assert.Contains("API_KEYS_FILE", watch.Trouble, StringComparison.Ordinal);

        System.IO.File.WriteAllText(File, New);
        Look(watch, 2);
        Assert.Equal([New], InForce(installation));
        Assert.Null(watch.Trouble);
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("a folder")]
    public void What_cannot_be_read_keeps_the_old_ones_and_is_told_once(string fault)
    {
        System.IO.File.WriteAllText(File, Old);
        var (watch, installation) = Watch(("API_KEYS_FILE", File));
        System.IO.File.Delete(File);

        // What may not be read fails as a folder does.
        _ = fault == "a folder" ? Directory.CreateDirectory(File) : null;

        Look(watch, 10);

        Assert.Equal([Old], InForce(installation));
        Assert.Equal([1017], _log.Ids);
        Assert.Contains("cannot be read", watch.Trouble, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_list_each_files_item_may_change()
    {
        System.IO.File.WriteAllText(File, Old);
        var (watch, installation) = Watch(("Grid__Core__ApiKeys__1_FILE", File));
        Assert.Equal([Old], InForce(installation));
        System.IO.File.WriteAllText(File, New);
        Look(watch, 2);

        Assert.Equal([New], InForce(installation));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ,\n")]
    public void One_of_several_files_that_was_emptied_takes_no_keys_away(string content)
    {
        var other = Path.Combine(_folder, "others");
        System.IO.File.WriteAllText(File, Old);
        System.IO.File.WriteAllText(other, New);
        var (watch, installation) = Watch(("Grid__Core__ApiKeys__0_FILE", File), ("Grid__Core__ApiKeys__1_FILE", other));
        System.IO.File.WriteAllText(File, content);
        Look(watch, 10);

        Assert.Equal([Old, New], InForce(installation));
        Assert.Equal([1017], _log.Ids);
        Assert.Contains("Grid__Core__ApiKeys__0_FILE names a file without an API key", watch.Trouble, StringComparison.Ordinal);

        // What the other has by now counts once both can be used.
        System.IO.File.WriteAllText(other, Old);
        System.IO.File.WriteAllText(File, New);
        Look(watch, 2);
        Assert.Equal([New, Old], InForce(installation));
        Assert.Null(watch.Trouble);
    }

    [Fact]
    public void Keys_that_no_file_has_are_not_looked_for()
    {
        System.IO.File.WriteAllText(File, Old);

        Assert.Null(Read(("Grid__Core__ApiKeys", New)).ApiKeyFiles);

        // The variable itself wins, so that the file has no effect.
        Assert.Null(Read(("Grid__Core__ApiKeys", New), ("Grid__Core__ApiKeys_FILE", File)).ApiKeyFiles);
        Assert.Null(Read().ApiKeyFiles);
    }

    [Theory]
    [InlineData("API_KEYS_FILE")]
    [InlineData("Grid__Core__ApiKeys_FILE")]
    [InlineData("Grid__Core__ApiKeys__0_FILE")]
    public void An_empty_file_at_the_start_is_refused_since_it_would_open_the_installation(string variable)
    {
        System.IO.File.WriteAllText(File, "\n");

        var refusal = Assert.Throws<SettingsException>(() => Read((variable, File)));

        Assert.Contains($"{variable} names a file without an API key", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Grid__Core__ApiKeys__0_FILE", "Grid__Core__ApiKeys__1_FILE")]
    [InlineData("Grid__Core__ApiKeys__1_FILE", "Grid__Core__ApiKeys__0_FILE")]
    [InlineData("Grid__Core__ApiKeys_FILE", "API_KEYS_FILE")]
    [InlineData("API_KEYS_FILE", "Grid__Core__ApiKeys_FILE")]
    [InlineData("API_KEYS_FILE", "Grid__Core__ApiKeys__0_FILE")]
    public void An_empty_file_beside_a_filled_one_is_refused_at_the_start_as_it_is_while_Grid_runs(string empty, string filled)
    {
        var other = Path.Combine(_folder, "others");
        System.IO.File.WriteAllText(other, New);
        foreach (var nothing in new[] { "", " \n", ",\n" })
        {
            System.IO.File.WriteAllText(File, nothing);

            var refusal = Assert.Throws<SettingsException>(() => Read((empty, File), (filled, other)));

            Assert.Equal($"{empty} names a file without an API key, {File}: write one of at least 20 characters into it, or remove the variable.", refusal.Message);
        }
    }

    [Fact]
    public void An_empty_file_beside_a_key_of_the_settings_is_refused_at_the_start()
    {
        System.IO.File.WriteAllText(File, "");

        Assert.Throws<SettingsException>(() => Read(("Grid__Core__ApiKeys", New), ("API_KEYS_FILE", File)));
        Assert.Throws<SettingsException>(() => Read(("Grid__Core__ApiKeys__0", New), ("Grid__Core__ApiKeys__1_FILE", File)));
    }

    [Fact]
    public void Probes_of_a_silo_that_runs_go_on_when_a_file_of_keys_is_emptied()
    {
        System.IO.File.WriteAllText(File, "");
        var variables = new Dictionary<string, string?> { ["API_KEYS_FILE"] = File, ["Grid__Keys__EncryptionKey_FILE"] = File };

        var probe = Commands.Health.Probe(Hosting.Configuration.Build(variables, ["--Grid:Core:Address=0.0.0.0", "--Grid:Core:Port=4567"]), onlyLive: false);

        Assert.Equal(new Uri("http://127.0.0.1:4567/health/ready"), probe);
    }

    private static void Look(ApiKeyWatch watch, int times)
    {
        for (var i = 0; i < times; i++)
        {
            watch.Look();
        }
    }

    private static IEnumerable<string> InForce(InstallationDefaults installation, params string[] others) =>
        installation.Now.ApiKeyHashes.Select(hash => others.Prepend(New).Prepend(Old).FirstOrDefault(key => TokenHash.Of(key) == hash) ?? "another");

    private static GridSettings Read(params (string Name, string Value)[] variables)
    {
        var environment = variables.ToDictionary(variable => variable.Name, variable => (string?)variable.Value);
        var written = variables.Where(variable => variable.Name.StartsWith("Grid__", StringComparison.Ordinal) && !variable.Name.EndsWith("_FILE", StringComparison.Ordinal));
        return GridSettings.Read(Grid.Silo.Hosting.Configuration.Build(environment, [.. written.Select(variable => $"--{variable.Name.Replace("__", ":", StringComparison.Ordinal)}={variable.Value}")]));
    }

    private void Publish(string version, string keys)
    {
        Directory.CreateDirectory(Path.Combine(_folder, version));
        System.IO.File.WriteAllText(Path.Combine(_folder, version, "api-keys"), keys);
    }

    private (ApiKeyWatch Watch, InstallationDefaults Installation) Watch(params (string Name, string Value)[] variables)
    {
        var settings = Read(variables);
        var installation = new InstallationDefaults(settings.Defaults);
        return (new ApiKeyWatch(settings.ApiKeyFiles!, installation, TimeProvider.System, _log), installation);
    }

    private sealed class Lines : ILogger<ApiKeyWatch>
    {
        public ConcurrentQueue<(int Id, string Text)> All { get; } = new();

        public IEnumerable<int> Ids => All.Select(line => line.Id);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Enqueue((eventId.Id, formatter(state, exception)));

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;
    }
}
