using System.Security.Cryptography;
using Grid.Tokens.SigningKeys;

namespace Grid.Hosting.Settings;

/// <summary>Finds the key that encrypts signing keys; the embedded default makes its own.</summary>
internal static class EncryptionKeyFile
{
    private const string Setting = "Grid:Keys:EncryptionKey";
    private const string Previous = "Grid:Keys:PreviousEncryptionKey";

    /// <param name="settings">Where to look.</param>
    /// <param name="isNew">Nothing is stored yet that needs a key: the embedded default may make one.</param>
    /// <returns>The protector, and where its key came from.</returns>
    /// <exception cref="SettingsException">Missing, unreadable, or not 32 bytes of base64.</exception>
    public static (KeyProtector Protector, string Origin) Load(GridSettings settings, bool isNew)
    {
        var keys = settings.Keys;
        var (key, origin) = Read(keys.EncryptionKey, keys.EncryptionKeyFile, Setting) ?? ReadDefault(settings, isNew);
        var previous = Read(keys.PreviousEncryptionKey, keys.PreviousEncryptionKeyFile, Previous);
        return (new KeyProtector(key, previous is var (former, _) ? [former] : []), origin);
    }

    /// <summary>Key files that others on this machine may read, each with the repair. A warning, no refusal: secrets that orchestrators mount often are so.</summary>
    public static IEnumerable<string> OpenToOthers(GridSettings settings)
    {
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if (OperatingSystem.IsWindows())
        {
            yield break;
        }

        var keys = settings.Keys;
        var own = !string.IsNullOrEmpty(keys.EncryptionKey) ? null : string.IsNullOrEmpty(keys.EncryptionKeyFile) ? settings.Store.SqlitePath + ".key" : keys.EncryptionKeyFile;
        var former = !string.IsNullOrEmpty(keys.PreviousEncryptionKey) || string.IsNullOrEmpty(keys.PreviousEncryptionKeyFile) ? null : keys.PreviousEncryptionKeyFile;
        foreach (var path in new[] { own, former }.OfType<string>().Where(File.Exists))
        {
            // Of what a link leads to: Kubernetes mounts secrets as links, whose own mode says nothing.
            var mode = File.GetUnixFileMode(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);
            if ((mode & Others) != 0)
            {
                yield return $"The key file {path} has the mode {Convert.ToString((int)mode, 8).PadLeft(4, '0')}: others than its owner can read or change the key that encrypts all signing keys. Run 'chmod 600 {path}', or give a mounted secret the mode 0400";
            }
        }
    }

    private static (byte[] Key, string Origin) ReadDefault(GridSettings settings, bool isNew)
    {
        var path = settings.Store.SqlitePath + ".key";
        if (!File.Exists(path))
        {
            if (!isNew)
            {
                throw new SettingsException($"The key file {path} is gone, but the database next to it was encrypted with it. Put it back from a backup, or set Grid:Keys:EncryptionKeyFile to where it is.");
            }

            Create(path);
        }

        return (ReadFile(path, Setting + "File"), path);
    }

    private static (byte[] Key, string Origin)? Read(string? text, string? file, string setting) =>
        text is { Length: > 0 } ? (Parse(text, setting), setting)
        : file is { Length: > 0 } ? (ReadFile(Path.GetFullPath(file), setting + "File"), Path.GetFullPath(file))
        : null;

    private static byte[] ReadFile(string path, string setting)
    {
        try
        {
            return Parse(File.ReadAllText(path).Trim(), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{setting} cannot be read: {failure.Message} Make it with 'openssl rand -base64 32', readable by the service's user only.");
        }
    }

    private static void Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var file = new StreamWriter(path, options);
            file.WriteLine(Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyProtector.KeySize)));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The key file {path} cannot be made: {failure.Message} Give the service's user the right to write in its folder, or set Grid:Keys:EncryptionKeyFile to a file of its own.");
        }
    }

    private static byte[] Parse(string text, string origin)
    {
        var key = new byte[KeyProtector.KeySize + 3];
        return Convert.TryFromBase64String(text, key, out var length) && length == KeyProtector.KeySize
            ? key[..length]
            : throw new SettingsException($"{origin} must hold {KeyProtector.KeySize} random bytes in base64; make it with 'openssl rand -base64 32'.");
    }
}
