using System.Security.Cryptography;
using Grid.TestKit;

namespace Grid.Faults.Tests;

/// <summary>Silos that cannot join a cluster: each start ends with an exit code of its own and a sentence that names the setting to repair.</summary>
public sealed class JoinTests
{
    private const int ClusterError = 4;

    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    [Fact]
    public async Task Without_a_certificate_that_the_others_accept_a_start_ends_with_the_setting_to_repair()
    {
        using var folder = new Folder();
        using var authority = new TestAuthority();
        using var other = new TestAuthority();
        await using var server = await ServerAsync("127.0.0.1");
        var database = await server.CreateDatabaseAsync();
        using var silo = await ServeAsync(folder, [], database, "127.0.0.1", authority.Silo().Settings);

        await RefusedAsync(folder, [], database, "127.0.0.1", "not of the trusted authority", "Grid:Cluster:CertificateAuthorityFile", other.Silo().Settings);
        await RefusedAsync(folder, [], database, "127.0.0.1", "has a certificate, and this one has none", "Grid:Cluster:CertificateFile");

        // It trusts both, and the other one does not.
        var both = Path.Combine(folder.Path, "both.pem");
        await File.WriteAllTextAsync(both, await File.ReadAllTextAsync(authority.Root) + "\n" + await File.ReadAllTextAsync(other.Root));
        await RefusedAsync(folder, [], database, "127.0.0.1", "refuses this silo's certificate", "Grid:Cluster:CertificateFile", (other.Silo() with { Authority = both }).Settings);

        // Nobody is disturbed, and whoever has the right one joins.
        using var right = await ServeAsync(folder, [], database, "127.0.0.1", authority.Silo("another").Settings);
        Assert.DoesNotContain("   at ", silo.Output, StringComparison.Ordinal);
        Assert.False(silo.HasExited, silo.Output);
    }

    [Fact]
    public async Task Silos_that_do_not_reach_each_other_are_told_whose_address_to_repair()
    {
        using var network = NetworkNamespace.Create();
        using var folder = new Folder();
        using var authority = new TestAuthority();
        await using var server = await ServerAsync(network.Outside);

        // As on another machine, whose name is another, too.
        string[] inside = [.. network.Prefix, "unshare", "--uts", "sh", "-c", "hostname elsewhere && exec \"$@\"", "sh"];
        var database = await server.CreateDatabaseAsync();
        using (var silo = await ServeAsync(folder, [], database, network.Outside, ("Grid__Cluster__AllowUnencrypted", "true")))
        {
            await RefusedAsync(folder, inside, database, "127.0.0.1", "This silo's address is 127.0.0.1", "Grid:Cluster:Address");
            await RefusedAsync(folder, [], database, "127.0.0.1", "has no certificate, and this one has", "Grid:Cluster:CertificateFile", authority.Silo().Settings);
            Assert.DoesNotContain("   at ", silo.Output, StringComparison.Ordinal);
        }

        // A port of its own: the other machine's row is of a living silo, under the very same address.
        var port = ("Grid__Cluster__SiloPort", "21111");
        database = await server.CreateDatabaseAsync();
        using (var silo = await ServeAsync(folder, inside, database, "127.0.0.1", port))
        {
            await RefusedAsync(folder, [], database, "127.0.0.1", "Another silo, on elsewhere, is at work under this silo's address, 127.0.0.1:21111", "Grid:Cluster:Address", port);
            await RefusedAsync(folder, [], database, "127.0.0.1", "only its own machine reaches that address", "Grid:Cluster:Address there", ("Grid__Cluster__SiloPort", "21112"));
            Assert.DoesNotContain("   at ", silo.Output, StringComparison.Ordinal);
            Assert.False(silo.HasExited, silo.Output);
        }
    }

    [Fact]
    public async Task A_silo_that_the_others_do_not_reach_ends_with_the_port_to_open_and_disturbs_nobody()
    {
        using var network = NetworkNamespace.Create();
        using var folder = new Folder();
        await using var server = await ServerAsync(network.Outside);
        var database = await server.CreateDatabaseAsync();
        var unencrypted = ("Grid__Cluster__AllowUnencrypted", "true");
        using var silo = await ServeAsync(folder, [], database, network.Outside, unencrypted);

        // It opens connections to the others over the link, and its own address is one that only it knows.
        const string hidden = "10.213.3.2";
        network.AddInside(hidden);
        await RefusedAsync(folder, [.. network.Prefix], database, hidden, $"The other silos do not reach this one at {hidden}:", "Grid:Cluster:SiloPort", unencrypted);

        // Over the same link by the right address it is let in.
        using var right = await ServeAsync(folder, [.. network.Prefix], database, network.Inside, unencrypted);
        Assert.False(silo.HasExited, silo.Output);
        Assert.DoesNotContain("   at ", silo.Output, StringComparison.Ordinal);
    }

    private static async Task<PostgreSqlServer> ServerAsync(string address)
    {
        var server = await PostgreSqlServer.TryStartOnAsync(address);
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        return server!;
    }

    private async Task RefusedAsync(
        Folder folder, string[] prefix, string database, string address, string why, string repair, params (string, string)[] settings)
    {
        var (code, output) = await GridProcess.RunAsync(
            folder.Path, prefix, ["serve", "--Grid:Core:Port=0", "--Grid:Front:Enabled=false"], Settings(database, address, settings));

        Assert.True(code == ClusterError, $"{code}: {output}");
        var sentence = output.Split('\n').Single(line => line.StartsWith("grid: ", StringComparison.Ordinal));
        Assert.Contains(why, sentence, StringComparison.Ordinal);
        Assert.Contains(repair, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Ready.", output, StringComparison.Ordinal);
    }

    private Task<GridProcess> ServeAsync(Folder folder, string[] prefix, string database, string address, params (string, string)[] settings) =>
        GridProcess.ServeAsync(folder.Path, prefix, [.. Settings(database, address, settings), ("Grid__Front__Enabled", "false")]);

    private (string, string)[] Settings(string database, string address, (string, string)[] others) =>
    [
        ("Grid__Store__ConnectionString", database), ("Grid__Keys__EncryptionKey", _key), ("Grid__Cluster__Address", address), .. others,
    ];

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("grid-join-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
