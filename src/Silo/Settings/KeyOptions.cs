namespace Grid.Silo.Settings;

/// <summary>The key that encrypts signing keys in the store. Section <c>Grid:Keys</c>.</summary>
internal sealed class KeyOptions
{
    public const string Section = "Grid:Keys";

    /// <summary>File with 32 random bytes in base64. The embedded default makes one next to the database.</summary>
    public string? EncryptionKeyFile { get; set; }

    /// <summary>The key itself, base64; for secret stores that set environment variables.</summary>
    public string? EncryptionKey { get; set; }
}
