namespace Grid.GrainDoors.Certificates;

/// <summary>Where a silo or a service has its certificate, all PEM.</summary>
/// <param name="Certificate">Its own, and after it those between it and the root, if there are any.</param>
/// <param name="Key">Its private key, not encrypted.</param>
/// <param name="Authority">The roots that are trusted, and no others; intermediates may stand beside them.</param>
/// <param name="Name">A DNS name that every silo's certificate has; null: the authority certifies nobody but this cluster.</param>
/// <param name="Prefix">Of the settings' names in messages.</param>
internal sealed record CertificateFiles(string Certificate, string Key, string Authority, string? Name, string Prefix)
{
    public string CertificateSetting => Prefix + "CertificateFile";

    public string KeySetting => Prefix + "CertificateKeyFile";

    public string AuthoritySetting => Prefix + "CertificateAuthorityFile";

    /// <summary>Null if none of them is set.</summary>
    /// <exception cref="UnusableCertificateException">Some are, and others are missing.</exception>
    public static CertificateFiles? Of(string? certificate, string? key, string? authority, string? name, string prefix)
    {
        var files = new CertificateFiles(certificate ?? "", key ?? "", authority ?? "", string.IsNullOrEmpty(name) ? null : name, prefix);
        (string Setting, string Value)[] all = [(files.CertificateSetting, files.Certificate), (files.KeySetting, files.Key), (files.AuthoritySetting, files.Authority)];
        if (all.All(file => file.Value.Length == 0) && files.Name is null)
        {
            return null;
        }

        return all.FirstOrDefault(file => file.Value.Length == 0).Setting is { } missing
            ? throw new UnusableCertificateException($"{missing} is missing: TLS needs a certificate, its key and the authority that both sides trust. Set it, or none of them.")
            : files;
    }
}
