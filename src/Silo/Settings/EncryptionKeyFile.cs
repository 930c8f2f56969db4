using System.Security.Cryptography;
using Grid.Storage;
using Grid.Tokens.SigningKeys;

namespace Grid.Silo.Settings;

/// <summary>Finds the key that encrypts signing keys; the embedded default makes its own.</summary>
internal static class EncryptionKeyFile
{
    /// <returns>The protector, and where its key came from.</returns>
    /// <exception cref="SettingsException">Missing, unreadable, or not 32 bytes of base64.</exception>
    public static (KeyProtector Protector, string Origin) Load(GridSettings settings)
    {
        if (settings.Keys.EncryptionKey is { Length: > 0 } text)
        {
            return (Parse(text, "Grid:Keys:EncryptionKey"), "Grid:Keys:EncryptionKey");
        }

        var path = settings.Keys.EncryptionKeyFile is { Length: > 0 } named ? Path.GetFullPath(named) : settings.Store.SqlitePath + ".key";
        if (settings.Keys.EncryptionKeyFile is null && !File.Exists(path))
        {
            if (settings.Store.Engine == StoreEngine.Sqlite && File.Exists(settings.Store.SqlitePath) && new FileInfo(settings.Store.SqlitePath).Length > 0)
            {
                throw new SettingsException($"The key file {path} is gone, but the database next to it was encrypted with it. Put it back from a backup, or set Grid:Keys:EncryptionKeyFile to where it is.");
            }

            Create(path);
        }

        try
        {
            return (Parse(File.ReadAllText(path).Trim(), path), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Grid:Keys:EncryptionKeyFile cannot be read: {failure.Message} Make it with 'openssl rand -base64 32', readable by the service's user only.");
        }
    }

    private static void Create(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new StreamWriter(path, options);
        file.WriteLine(Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyProtector.KeySize)));
    }

    private static KeyProtector Parse(string text, string origin)
    {
        Span<byte> key = stackalloc byte[KeyProtector.KeySize + 3];
        return Convert.TryFromBase64String(text, key, out var length) && length == KeyProtector.KeySize
            ? new KeyProtector(key[..length])
            : throw new SettingsException($"{origin} must hold {KeyProtector.KeySize} random bytes in base64; make it with 'openssl rand -base64 32'.");
    }
}
