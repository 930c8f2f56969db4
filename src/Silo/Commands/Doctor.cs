using System.CommandLine;
using System.Text.Json;
using Grid.Hosting.Settings;
using Grid.Silo.Diagnosis;
using Grid.Silo.Hosting;
using Grid.Storage;

namespace Grid.Silo.Commands;

/// <summary><c>grid doctor</c>: looks at everything that a start and a running cluster rely on, without starting, and says what to repair.</summary>
/// <remarks>It reads, apart from one row that it writes and removes. It may run beside silos, and with the settings of one.</remarks>
internal static class Doctor
{
    private const int FoundProblems = 1;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create(Func<Func<Task<int>>, Task<int>> guarded)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var doctor = new Command("doctor", "Check settings, store, keys, clock, certificates and the other silos, and say what to repair. Exit code 1: a problem was found.") { json };
        doctor.TreatUnmatchedTokensAsErrors = false;
        doctor.SetAction((parse, stop) => guarded(async () =>
        {
            var findings = await ExamineAsync(Configuration.Build(Overrides.Of(parse)), stop);
            Print(findings, parse.GetValue(json));
            return findings.Any(finding => finding.Weight == Weight.Problem) ? FoundProblems : 0;
        }));
        return doctor;
    }

    /// <summary>Every finding, in the order of the checks. What depends on a check that found a problem is left out.</summary>
    internal static async Task<IReadOnlyList<Finding>> ExamineAsync(IConfigurationRoot configuration, CancellationToken cancellationToken)
    {
        List<Finding> findings = [.. SettingsDiagnosis.OfKeys(configuration)];
        GridSettings settings;
        try
        {
            settings = GridSettings.Read(configuration);
        }
        catch (SettingsException refusal)
        {
            return [.. findings, Finding.Problem("settings", $"{refusal.Message} The rest was not looked at.")];
        }

        findings.AddRange(SettingsDiagnosis.Of(settings));
        findings.Add(SettingsDiagnosis.OfCertificates(settings, TimeProvider.System));
        if (settings.Upstream is { } upstream)
        {
            findings.Add(await UpstreamDiagnosis.RunAsync(upstream, cancellationToken));
        }

        if (settings.ReadThrough is { } source)
        {
            findings.Add(await ImportDiagnosis.RunAsync(source, settings.Upstream, cancellationToken));
        }

        await using var services = new ServiceCollection().AddLogging().AddGridStorage(settings.Store).BuildServiceProvider();
        var store = new StoreDiagnosis(settings, services);
        findings.Add(store.OfSchema());
        if (store.IsThere)
        {
            findings.AddRange(await store.OfStoreAsync(cancellationToken));
        }

        if (store.IsThere)
        {
            findings.AddRange(await store.OfKeysAsync(cancellationToken));
            findings.Add(await store.OfClockAsync(cancellationToken));
            findings.AddRange(await new ClusterDiagnosis(settings, services, store.Room).ExamineAsync(cancellationToken));
        }

        return findings;
    }

    private static void Print(IReadOnlyList<Finding> findings, bool asJson)
    {
        if (asJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(
                new
                {
                    healthy = findings.All(finding => finding.Weight != Weight.Problem),
                    findings = findings.Select(finding => new { check = finding.Check, weight = Name(finding), text = finding.Text }),
                },
                Indented));
            return;
        }

        foreach (var finding in findings)
        {
            Console.Out.WriteLine($"{Name(finding),-8} {finding.Check,-14} {finding.Text.ReplaceLineEndings(" ")}");
        }
    }

    private static string Name(Finding finding) => finding.Weight switch
    {
        Weight.Ok => "ok",
        Weight.Warning => "warning",
        Weight.Problem => "PROBLEM",
        _ => throw new ArgumentOutOfRangeException(nameof(finding), finding.Weight, null),
    };
}
