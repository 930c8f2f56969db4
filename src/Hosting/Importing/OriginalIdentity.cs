using System.Text.Json.Nodes;
using Grid.Abstractions.Apps;
using Grid.Storage.Importing;
using Grid.WebFront.Upstream;

namespace Grid.Hosting.Importing;

/// <summary>Whether a database is that of the core behind Grid. A core publishes the keys that its database has: of another installation, as of a test's, none is.</summary>
/// <remarks>Their keys would verify here, and the static one sign: it is looked at before anything is taken.</remarks>
internal static class OriginalIdentity
{
    /// <summary>How long a start, or a look at it, waits for that core.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <param name="client">The core behind Grid.</param>
    /// <param name="settings">Where that is.</param>
    /// <param name="domain">The domain whose database it is; empty for the default one.</param>
    /// <param name="source">Where the database is.</param>
    /// <param name="keys">The database's.</param>
    /// <param name="patience">How long it may take at most, besides the time-outs of the settings; null: they alone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is wrong, in a sentence; null if nothing is, or it can't be told: no keys in the database, or none published.</returns>
    public static async Task<string?> WhyNotAsync(
        UpstreamClient client, UpstreamSettings settings, string domain, SuperTokensSource source, IEnumerable<SuperTokensKey> keys, TimeSpan? patience,
        CancellationToken cancellationToken)
    {
        var own = keys.Where(key => key.App == AppKey.PublicId && key.Kind != SuperTokensKeyKind.Refresh).Select(key => key.Kid).ToHashSet(StringComparer.Ordinal);
        if (own.Count == 0)
        {
            return null;
        }

        var answer = await client.AskAsync("GET", "/.well-known/jwks.json", version: null, domain.Length > 0 ? domain : null, body: null, patience, cancellationToken);
        return answer.Json()?["keys"] is JsonArray { Count: > 0 } published && !published.Any(key => own.Contains(UpstreamAnswer.Text((key as JsonObject)?["kid"]) ?? ""))
            ? $"{source} is not the database of the core at {settings.Name} (Grid:Upstream:Uri), which publishes none of the keys that are there: one of the two is of another installation."
            : null;
    }
}
