using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Grid.TestKit;

/// <summary>Issues certificates into a folder of its own.</summary>
public sealed class TestAuthority : IDisposable
{
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    private const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-authority-").FullName;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=Test authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _root = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        File.WriteAllText(PathOf("authority"), _root.ExportCertificatePem());
    }

    /// <summary>PEM of the root.</summary>
    public string Root => PathOf("authority");

    /// <summary>One for a silo.</summary>
    public TestCertificate Silo(string name = "silo", string? dnsName = null) => Issue(name, [ServerUsage, ClientUsage], dnsName);

    /// <summary>One for a service.</summary>
    public TestCertificate Service(string name = "service", bool isExpired = false) => Issue(name, [ClientUsage], null, isExpired);

    /// <summary>Writes a certificate and its key; those of the same name are replaced.</summary>
    /// <param name="name">Of the files.</param>
    /// <param name="usages">Object identifiers; none: it does not say what it is for.</param>
    /// <param name="dnsName">In it, if any.</param>
    /// <param name="isExpired">Since long ago.</param>
    public TestCertificate Issue(string name, string[] usages, string? dnsName = null, bool isExpired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        // By which it is told apart from another authority of the same name.
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, true, false));
        if (usages.Length > 0)
        {
            OidCollection all = [];
            Array.ForEach(usages, usage => all.Add(new Oid(usage)));
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(all, false));
        }

        if (dnsName is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(dnsName);
            request.CertificateExtensions.Add(names.Build());
        }

        var end = DateTimeOffset.UnixEpoch.AddYears(isExpired ? 20 : 90);
        using var made = request.Create(_root, DateTimeOffset.UnixEpoch.AddYears(10), end, RandomNumberGenerator.GetBytes(12));
        var files = new TestCertificate(PathOf(name), PathOf(name + "-key"), Root);
        File.WriteAllText(files.Key, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(files.Certificate, made.ExportCertificatePem());
        return files;
    }

    public void Dispose()
    {
        _root.Dispose();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string PathOf(string name) => Path.Combine(_folder, name + ".pem");
}
