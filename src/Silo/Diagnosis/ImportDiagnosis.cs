using Grid.Hosting.Importing;
using Grid.Storage.Importing;
using Grid.WebFront.Upstream;

namespace Grid.Silo.Diagnosis;

/// <summary>The original's database, where sessions are looked up that Grid does not know.</summary>
internal static class ImportDiagnosis
{
    private const string Check = "read-through";

    public static async Task<Finding> RunAsync(SuperTokensSource source, UpstreamSettings? upstream, CancellationToken cancellationToken)
    {
        try
        {
            await using var original = await SuperTokensDatabase.OpenAsync(source, maxConnections: 1, cancellationToken);
            if (upstream is not null)
            {
                using var client = new UpstreamClient(upstream);
                if (await OriginalIdentity.WhyNotAsync(client, upstream, domain: "", source, await original.ReadKeysAsync(cancellationToken), OriginalIdentity.Patience, cancellationToken) is { } why)
                {
                    return Finding.Problem(Check, $"Tokens of sessions that Grid does not know are answered 503: {why}");
                }
            }

            return Finding.Warning(Check, $"On: sessions that Grid does not know are looked up in {source} ({original.Generation}). It must not serve sessions any more. Take Grid:Import:ReadThrough out when 'grid import supertokens' has brought all of them.");
        }
        catch (ImportSourceException failure)
        {
            return Finding.Problem(Check, $"Sessions that Grid does not know are answered 503: {failure.Message}");
        }
    }
}
