using Grid.GrainDoors.Certificates;

namespace Grid.GrainClient;

/// <summary>How a service finds the silos, and whose sessions it means.</summary>
public sealed class GridGrainClientOptions : GridGrainOptions
{
    /// <summary>
    /// Npgsql connection string of the cluster's PostgreSQL, where the silos that live now are read; a role that may read is enough. Default: the
    /// configuration's connection string <c>GridCluster</c>. Not together with <see cref="Gateways"/>.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>Addresses of gateways instead, <c>host:port</c> with the port of <c>Grid:Cluster:GatewayPort</c>. A name that stands for several addresses means all of them, and is asked again and again.</summary>
    public IList<string> Gateways { get; } = [];

    /// <summary>The silos' <c>Grid:Cluster:Id</c>. Default <c>grid</c>.</summary>
    public string ClusterId { get; set; } = "grid";

    /// <summary>
    /// PEM file of this service's certificate, with what stands between it and the root, for silos with <c>Grid:Cluster:CertificateFile</c>: mutual TLS.
    /// Its extended key usage is client authentication. Together with <see cref="CertificateKeyFile"/> and <see cref="CertificateAuthorityFile"/>; null: no TLS.
    /// Read again when it changes.
    /// </summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file of the certificate's private key, not encrypted.</summary>
    public string? CertificateKeyFile { get; set; }

    /// <summary>PEM file of the roots that are trusted, and no others: silos without a certificate of theirs are refused.</summary>
    public string? CertificateAuthorityFile { get; set; }

    /// <summary>The silos' <c>Grid:Cluster:CertificateName</c>, a DNS name that each of their certificates has. Null: any of the authority for servers is a silo's.</summary>
    public string? CertificateName { get; set; }

    /// <summary>Anything else of the Orleans client that connects, such as another clustering provider. Called last.</summary>
    public Action<IClientBuilder>? ConfigureClient { get; set; }

    /// <exception cref="UnusableCertificateException">Some of the files are set, and others are missing.</exception>
    internal CertificateFiles? Certificates() => CertificateFiles.Of(CertificateFile, CertificateKeyFile, CertificateAuthorityFile, CertificateName, "");
}
