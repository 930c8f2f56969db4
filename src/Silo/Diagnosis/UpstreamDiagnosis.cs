using Grid.WebFront.Upstream;

namespace Grid.Silo.Diagnosis;

/// <summary>The core behind Grid: whether it is reached, accepts Grid's key, and serves a version that Grid serves too.</summary>
internal static class UpstreamDiagnosis
{
    private const string Check = "upstream";

    public static async Task<Finding> RunAsync(UpstreamSettings settings, CancellationToken cancellationToken)
    {
        using var client = new UpstreamClient(settings);
        var pulse = new UpstreamPulse(client, settings, TimeProvider.System);
        var trouble = await pulse.AskAsync("/apiversion", host: null, cancellationToken);
        if (UpstreamFailures.Describe(trouble, settings.Name) is { } sentence)
        {
            // Sessions go on without it, so Grid starts; but what else clients ask for is not answered.
            return Finding.Problem(Check, sentence + (trouble == UpstreamTrouble.Away ? " Start it, or correct Grid:Upstream:Uri." : ""));
        }

        return pulse.Common is { IsEmpty: false } common
            ? Finding.Ok(Check, $"{settings.Name} answers, accepts Grid's key, and serves versions {common[0]} to {common[^1]} of the core API as Grid does.")
            : Finding.Problem(Check, $"{settings.Name} and Grid serve no version of the core API in common, so no SDK can use both. Replace it by a newer one (Grid: {string.Join(", ", Abstractions.Settings.CdiVersions.Supported)}).");
    }
}
