using System.Security.Cryptography.X509Certificates;

namespace Grid.TestKit;

/// <summary>Paths of PEM files.</summary>
/// <param name="Certificate">With no chain.</param>
/// <param name="Key">Not encrypted.</param>
/// <param name="Authority">Whom to trust.</param>
public sealed record TestCertificate(string Certificate, string Key, string Authority)
{
    /// <summary>As a silo is told them.</summary>
    public (string Name, string Value)[] Settings =>
    [
        ("Grid__Cluster__CertificateFile", Certificate), ("Grid__Cluster__CertificateKeyFile", Key), ("Grid__Cluster__CertificateAuthorityFile", Authority),
    ];

    public X509Certificate2 Load() => X509Certificate2.CreateFromPemFile(Certificate, Key);
}
