namespace Grid.Silo.Settings;

/// <summary>The key that encrypts signing keys in the store. Section <c>Grid:Keys</c>.</summary>
internal sealed class KeyOptions
{
    public const string Section = "Grid:Keys";

    /// <summary>File with 32 random bytes in base64. The embedded default makes one next to the database.</summary>
    public string? EncryptionKeyFile { get; set; }

    /// <summary>The key itself, base64; for secret stores that set environment variables.</summary>
    public string? EncryptionKey { get; set; }

    /// <summary>File with the former key while the installation goes from one to the next: what it sealed is opened too.</summary>
    public string? PreviousEncryptionKeyFile { get; set; }

    /// <summary>The former key itself, base64.</summary>
    public string? PreviousEncryptionKey { get; set; }
}
