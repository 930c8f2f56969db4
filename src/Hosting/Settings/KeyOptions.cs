namespace Grid.Hosting.Settings;

/// <summary>The key that encrypts signing keys in the store. Section <c>Grid:Keys</c>.</summary>
internal sealed class KeyOptions
{
    public const string Section = "Grid:Keys";

    public string? EncryptionKeyFile { get; set; }

    public string? EncryptionKey { get; set; }

    /// <summary>What the former key sealed is opened too, while the installation goes from one to the next.</summary>
    public string? PreviousEncryptionKeyFile { get; set; }

    public string? PreviousEncryptionKey { get; set; }
}
