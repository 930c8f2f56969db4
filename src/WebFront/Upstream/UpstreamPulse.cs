using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Grid.WebFront.Core;

namespace Grid.WebFront.Upstream;

/// <summary>How the core behind Grid was when it was last asked, and which versions it serves. Safe for any number of threads.</summary>
/// <remarks>It is asked for its versions, which takes an API key and no store: so reachability, key and versions are known by one request.</remarks>
internal sealed class UpstreamPulse(UpstreamClient client, UpstreamSettings settings, TimeProvider clock)
{
    private static readonly TimeSpan AskedEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task? _asking;
    private long _askedAt;
    private volatile State? _state;

    /// <summary>What was wrong at the last look, in a sentence; null if nothing was, or nobody has looked yet.</summary>
    /// <remarks>Never waits: at most every five seconds it begins to look again.</remarks>
    public string? Look()
    {
        lock (_lock)
        {
            if (_asking is null || (_asking.IsCompleted && clock.GetElapsedTime(_askedAt) >= AskedEvery))
            {
                (_asking, _askedAt) = (AskAsync("/apiversion", host: null, CancellationToken.None), clock.GetTimestamp());
            }
        }

        return _state is { Trouble: not UpstreamTrouble.None and var trouble } ? UpstreamFailures.Describe(trouble, settings.Name)
            : _state is { Common.IsEmpty: true } ? $"{settings.Name} and Grid serve no version of the core API in common."
            : null;
    }

    /// <summary>The versions that both serve, oldest first; null if the core behind Grid has never said which it serves.</summary>
    public ImmutableArray<CdiVersion>? Common => _state?.Common;

    /// <summary>What was wrong at the last look.</summary>
    public UpstreamTrouble Trouble => _state?.Trouble ?? UpstreamTrouble.None;

    /// <summary>The version in which Grid itself asks.</summary>
    public string Version => _state is { Common: { IsEmpty: false } common } ? common[^1].ToString() : CdiVersion.V5.ToString();

    /// <summary>Asks for the versions, with what a client would send along.</summary>
    /// <param name="target">Path and query.</param>
    /// <param name="host">The domain's name; null for the default one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is wrong, if something is. The versions known before stay.</returns>
    public async Task<UpstreamTrouble> AskAsync(string target, string? host, CancellationToken cancellationToken)
    {
        var (trouble, common) = await AskOfOneAsync(target, host, cancellationToken);
        _state = new State(trouble, common ?? _state?.Common);
        return trouble;
    }

    /// <summary>Asks for one app's or tenant's versions: what is answered, or wrong, says nothing of the others, and is not kept.</summary>
    /// <param name="target">Path and query.</param>
    /// <param name="host">The domain's name; null for the default one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is wrong, if something is; and the versions that both serve, unless something is wrong.</returns>
    public async Task<(UpstreamTrouble Trouble, ImmutableArray<CdiVersion>? Common)> AskOfOneAsync(string target, string? host, CancellationToken cancellationToken)
    {
        var answer = await client.AskAsync("GET", target, version: null, host, body: null, Patience, cancellationToken);
        if (answer.Trouble != UpstreamTrouble.None)
        {
            return (answer.Trouble, null);
        }

        if (answer.Json()?["versions"] is not JsonArray versions)
        {
            return (UpstreamTrouble.Odd, null);
        }

        var served = versions.Select(UpstreamAnswer.Text).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return (UpstreamTrouble.None, [.. CdiVersion.Supported.Where(version => served.Contains(version.ToString()))]);
    }

    private sealed record State(UpstreamTrouble Trouble, ImmutableArray<CdiVersion>? Common);
}
