using Grid.Storage.Importing;

namespace Grid.Silo.Diagnosis;

/// <summary>The original's database, where sessions are looked up that Grid does not know.</summary>
internal static class ImportDiagnosis
{
    private const string Check = "read-through";

    public static async Task<Finding> RunAsync(SuperTokensSource source, CancellationToken cancellationToken)
    {
        try
        {
            await using var original = await SuperTokensDatabase.OpenAsync(source, maxConnections: 1, cancellationToken);
            return Finding.Warning(Check, $"On: sessions that Grid does not know are looked up in {source} ({original.Generation}). It must not serve sessions any more. Take Grid:Import:ReadThrough out when 'grid import supertokens' has brought all of them.");
        }
        catch (ImportSourceException failure)
        {
            return Finding.Problem(Check, $"Sessions that Grid does not know are answered 503: {failure.Message}");
        }
    }
}
