using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Hosting.Settings;
using Grid.Tokens;
using Grid.WebFront.Core;

namespace Grid.Hosting.Secrets;

/// <summary>
/// Reads the files with the installation's API keys again and again, and puts other keys into force. What is written while it looks counts when it has
/// stayed the same for a look: a file that is half written has keys that nobody was given. What cannot be used leaves the keys that are in force.
/// </summary>
/// <remarks>Content is compared, since Kubernetes replaces mounted secrets by turning a link, and others write into the file.</remarks>
internal sealed partial class ApiKeyWatch(ApiKeyFiles files, InstallationDefaults installation, TimeProvider clock, ILogger<ApiKeyWatch> logger) : BackgroundService
{
    /// <summary>Between two looks.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly string _names = files.Names;

    // Hashes: what is withdrawn is not to stay in memory.
    private TokenHash _settled = TokenHash.Of(files.First);
    private TokenHash? _seen;
    private volatile string? _trouble;

    /// <summary>Why the files cannot be used, with the repair; null if they can.</summary>
    public string? Trouble => _trouble;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Look();
        }
    }

    /// <summary>One look.</summary>
    internal void Look()
    {
        var (text, why) = Read();
        var content = TokenHash.Of(why ?? text!);
        if (content == _settled)
        {
            _seen = null;
            return;
        }

        if (_seen != content)
        {
            _seen = content;
            return;
        }

        (_settled, _seen) = (content, null);
        if (why is null && ApiKeys.TryParse(text!, out var keys, out why))
        {
            _trouble = null;
            PutIntoForce(keys);
            return;
        }

        _trouble = $"The API keys in {_names} cannot be used, and those that were read before are in force: {why}";
        Log.Unusable(logger, _names, why!);
    }

    private (string? Text, string? Why) Read()
    {
        try
        {
            return (files.Read(), null);
        }
        catch (SettingsException failure)
        {
            return (null, failure.Message);
        }
    }

    private void PutIntoForce(ImmutableArray<TokenHash> keys)
    {
        var former = installation.Now.ApiKeyHashes;
        installation.ReplaceApiKeys(keys);
        Log.Changed(logger, _names, keys.Length, Ids(keys.Except(former)), Ids(former.Except(keys)));
    }

    private static string Ids(IEnumerable<TokenHash> keys) => string.Join(", ", keys.Select(CoreActor.IdOf)) is { Length: > 0 } ids ? ids : "none";

    private static partial class Log
    {
        [LoggerMessage(1016, LogLevel.Information, "The API keys were read again from {Files}: {Count} in force; added: {Added}; withdrawn: {Withdrawn}")]
        public static partial void Changed(ILogger logger, string files, int count, string added, string withdrawn);

        [LoggerMessage(1017, LogLevel.Warning, "The API keys in {Files} cannot be used, and those that were read before stay in force: {Why}")]
        public static partial void Unusable(ILogger logger, string files, string why);
    }
}
