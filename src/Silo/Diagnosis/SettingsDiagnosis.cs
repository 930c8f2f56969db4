using System.Net;
using Grid.GrainDoors.Certificates;
using Grid.Hosting.Serving;
using Grid.Hosting.Settings;
using Grid.Silo.Hosting;
using Grid.Storage;

namespace Grid.Silo.Diagnosis;

/// <summary>What can be told without the store: settings, descriptors, certificates.</summary>
internal static class SettingsDiagnosis
{
    private const string Check = "settings";
    private const string CertificatesCheck = "certificates";

    /// <summary>Keys without effect and what was allowed although it is not safe.</summary>
    public static IEnumerable<Finding> OfKeys(IConfigurationRoot configuration)
    {
        foreach (var (key, nearest) in UnknownSettings.Find(configuration))
        {
            yield return Finding.Warning(Check, $"{key} is not known and has no effect. Did you mean {nearest}?");
        }

        foreach (var note in Configuration.Notes(configuration))
        {
            yield return Finding.Warning(Check, note);
        }
    }

    public static IEnumerable<Finding> Of(GridSettings settings)
    {
        yield return Finding.Ok(Check, $"They are valid; 'grid config show' prints them. Core API on {settings.Address}:{settings.Core.Port}, front {(settings.Front.Enabled ? $"on {settings.FrontAddress}:{settings.Front.Port}" : "closed")}.");
        if (!IPAddress.IsLoopback(settings.Address) && settings.Defaults.ApiKeyHashes.IsEmpty)
        {
            yield return Finding.Warning(Check, $"The core API is open to everybody who reaches {settings.Address} (Grid:Core:AllowInsecureAddress). Set Grid:Core:ApiKeys.");
        }

        foreach (var open in EncryptionKeyFile.OpenToOthers(settings))
        {
            yield return Finding.Warning("encryption key", open + ".");
        }

        yield return OfDescriptors(settings);
    }

    public static Finding OfCertificates(GridSettings settings, TimeProvider clock)
    {
        if (settings.Store.Engine != StoreEngine.PostgreSql)
        {
            return Finding.Ok(CertificatesCheck, "None are needed: a silo over SQLite is alone and opens no port for others.");
        }

        if (settings.Certificates is not { } files)
        {
            return OfPlain(settings);
        }

        try
        {
            var own = new PeerCertificates(files, isSilo: true, clock).Current;
            var end = new DateTimeOffset(own.NotAfter.ToUniversalTime());
            var left = end - clock.GetUtcNow();
            return left < CertificateWatch.WarnBefore
                ? Finding.Warning(CertificatesCheck, $"{own.Subject} expires at {end:u}, in {left.TotalDays:0.0} days: replace the files of {files.CertificateSetting} before. No restart is needed.")
                : Finding.Ok(CertificatesCheck, $"{own.Subject} is of the trusted authority, and valid until {end:u}.");
        }
        catch (UnusableCertificateException failure)
        {
            return Finding.Problem(CertificatesCheck, failure.Message);
        }
    }

    private static Finding OfPlain(GridSettings settings)
    {
        var address = settings.ClusterAddress ?? ClusterAddress.TryFind(settings.Store) ?? IPAddress.Loopback;
        try
        {
            settings.CheckClusterAddress(address, isFound: settings.ClusterAddress is null);
        }
        catch (SettingsException refusal)
        {
            return Finding.Problem(CertificatesCheck, refusal.Message);
        }

        return IPAddress.IsLoopback(address)
            ? Finding.Ok(CertificatesCheck, "None are needed while all silos are on this machine: the silo port is on a loopback address.")
            : Finding.Warning(CertificatesCheck, $"The silo port on {address} is unencrypted (Grid:Cluster:AllowUnencrypted): whoever reaches it is believed to be a silo. Set Grid:Cluster:CertificateFile, :CertificateKeyFile and :CertificateAuthorityFile.");
    }

    private static Finding OfDescriptors(GridSettings settings)
    {
        const string check = "descriptors";
        try
        {
            var budget = ConnectionBudget.Of(settings, ConnectionBudget.ReadLimit());
            var shares = $"{budget.Core} connections for the core API, {budget.Front} for the front";
            return budget.Descriptors is < ConnectionBudget.Comfortable and { } few
                ? Finding.Warning(check, $"This process may open only {few} files and sockets: {shares}. Raise 'ulimit -n' (LimitNOFILE=, '--ulimit nofile=') for more.")
                : Finding.Ok(check, $"{budget.Descriptors?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "Any number of"} files and sockets may be open: {shares}.");
        }
        catch (SettingsException refusal)
        {
            return Finding.Problem(check, refusal.Message);
        }
    }
}
