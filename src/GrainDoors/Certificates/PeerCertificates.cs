using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Grid.GrainDoors.Certificates;

/// <summary>
/// One's own certificate, and the judgement on others'. Files that have changed are read before the next handshake; what cannot be used leaves
/// what is in use. Thread-safe.
/// </summary>
/// <param name="files">Where they are.</param>
/// <param name="isSilo">Whether one's own must do for a silo, or for a service only.</param>
/// <param name="clock">Judges validity.</param>
internal sealed class PeerCertificates(CertificateFiles files, bool isSilo, TimeProvider clock)
{
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    private const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    private readonly Lock _reading = new();
    private volatile State? _state;

    /// <summary>Other files came into use.</summary>
    public event Action<X509Certificate2>? Changed;

    /// <summary>Other files cannot be used, and why; once for each change.</summary>
    public event Action<string>? Unusable;

    /// <summary>One's own, with its key, as the files have it now.</summary>
    /// <exception cref="UnusableCertificateException">The first time only: they cannot be used.</exception>
    public X509Certificate2 Current => Read().Own;

    /// <summary>Why a peer's certificate is not accepted; null if it is.</summary>
    /// <param name="certificate">Null if it has shown none.</param>
    /// <param name="shown">What came with it.</param>
    /// <param name="role">What it has to be.</param>
    public string? WhyNot(X509Certificate2? certificate, X509Chain? shown, PeerRole role)
    {
        if (certificate is null)
        {
            return "it shows no certificate";
        }

        var state = Read();
        if (WhyNotCertified(certificate, state, shown) is { } why)
        {
            return why;
        }

        if (role is PeerRole.Member or PeerRole.Service && !IsFor(certificate, ClientUsage))
        {
            return "its certificate is not for client authentication";
        }

        if (role is PeerRole.Member or PeerRole.Silo)
        {
            if (!IsFor(certificate, ServerUsage))
            {
                return "its certificate is a service's, not a silo's (it is not for server authentication)";
            }

            if (files.Name is { } name && !certificate.MatchesHostname(name, allowWildcards: false, allowCommonName: false))
            {
                return "its certificate does not have the name of this cluster's silos";
            }
        }

        return null;
    }

    private State Read()
    {
        var stamp = Stamp.Of(files);
        if (_state is { } known && known.Tried == stamp)
        {
            return known;
        }

        lock (_reading)
        {
            var former = _state;
            if (former is not null && former.Tried == stamp)
            {
                return former;
            }

            try
            {
                var next = Load(stamp);
                _state = next;
                if (former is not null)
                {
                    Changed?.Invoke(next.Own);
                }

                return next;
            }
            catch (UnusableCertificateException failure) when (former is not null)
            {
                // Between certificate and key, which are replaced one after the other, they do not fit: the next change is tried again.
                Unusable?.Invoke(failure.Message);
                return _state = former with { Tried = stamp };
            }
        }
    }

    private State Load(Stamp stamp)
    {
        var own = Own();
        X509Certificate2Collection bundle = [], between = [], roots = [], others = [];
        ReadPem(() => bundle.ImportFromPemFile(files.Authority), files.AuthoritySetting, files.Authority);
        ReadPem(() => between.ImportFromPemFile(files.Certificate), files.CertificateSetting, files.Certificate);
        foreach (var certificate in bundle)
        {
            (certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData) ? roots : others).Add(certificate);
        }

        if (roots.Count == 0)
        {
            throw new UnusableCertificateException($"{files.AuthoritySetting} {files.Authority} holds no root certificate (one that is its own issuer): add the authority's.");
        }

        others.AddRange(between);
        var state = new State(stamp, own, roots, others);
        var setting = $"{files.CertificateSetting} {files.Certificate}";
        if (WhyNotCertified(own, state, null) is { } why)
        {
            throw new UnusableCertificateException($"{setting} would be refused by its peers: {why}. Have {files.AuthoritySetting} issue another.");
        }

        if (!IsFor(own, ClientUsage) || (isSilo && !IsFor(own, ServerUsage)))
        {
            throw new UnusableCertificateException(
                $"{setting} must name the extended key usage {(isSilo ? "serverAuth and clientAuth: a silo is both sides of a connection" : "clientAuth")}. Have {files.AuthoritySetting} issue another.");
        }

        return isSilo && files.Name is { } name && !own.MatchesHostname(name, allowWildcards: false, allowCommonName: false)
            ? throw new UnusableCertificateException($"{setting} does not have the DNS name '{name}' ({files.Prefix}CertificateName) that every silo's certificate has. Have one issued with it.")
            : state;
    }

    private X509Certificate2 Own()
    {
        ReadPem(() => File.OpenRead(files.Key).Dispose(), files.KeySetting, files.Key);
        return ReadPem(
            () =>
            {
                var own = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);

                // Windows' TLS knows no keys that are in memory only.
                return OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null) : own;
            },
            files.CertificateSetting,
            files.Certificate);
    }

    private static void ReadPem(Action read, string setting, string path) => ReadPem(
        () =>
        {
            read();
            return true;
        },
        setting,
        path);

    private static T ReadPem<T>(Func<T> read, string setting, string path)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UnusableCertificateException($"{setting} cannot be read: {failure.Message}");
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw new UnusableCertificateException($"{setting} {path} is no PEM file of a certificate, or the key is another's or encrypted: {failure.Message}");
        }
    }

    private string? WhyNotCertified(X509Certificate2 certificate, State state, X509Chain? shown)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(state.Roots);
        policy.ExtraStore.AddRange(state.Others);
        if (shown is not null)
        {
            policy.ExtraStore.AddRange(shown.ChainPolicy.ExtraStore);
        }

        // There is no list of revoked certificates: a short validity and a change of the authority do that.
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = clock.GetUtcNow().LocalDateTime;
        if (chain.Build(certificate))
        {
            return null;
        }

        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
        const X509ChainStatusFlags foreign = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid;
        return (status & foreign) != X509ChainStatusFlags.NoError ? "its certificate is not of the trusted authority"
            : status.HasFlag(X509ChainStatusFlags.NotTimeValid) ? "its certificate, or one between it and the root, is expired or not valid yet"
            : $"its certificate is not valid ({status})";
    }

    // What does not say what it is for is for nothing here: the usage is what tells a silo from a service.
    private static bool IsFor(X509Certificate2 certificate, string usage) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(extension => extension.EnhancedKeyUsages[usage] is not null);

    private sealed record State(Stamp Tried, X509Certificate2 Own, X509Certificate2Collection Roots, X509Certificate2Collection Others);

    /// <summary>By which a change is noticed. A link's own times say nothing: of what it leads to.</summary>
    private readonly record struct Stamp(long Certificate, long Key, long Authority)
    {
        public static Stamp Of(CertificateFiles files) => new(Time(files.Certificate), Time(files.Key), Time(files.Authority));

        private static long Time(string path)
        {
            try
            {
                var file = new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);
                return file.Exists ? HashCode.Combine(file.LastWriteTimeUtc.Ticks, file.Length, file.FullName) : 0;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                return 0;
            }
        }
    }
}
