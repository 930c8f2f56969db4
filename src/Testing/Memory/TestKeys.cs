using Grid.Tokens.SigningKeys;

namespace Grid.Testing.Memory;

/// <summary>Keys for sessions in memory.</summary>
internal static class TestKeys
{
    // Takes a tenth of a second to make: once for the process is enough. Key ids are each ring's own, so that none accepts another's tokens.
    private static readonly Lazy<byte[]> Rsa = new(SigningKeySecrets.CreateRsa);

    public static KeyRing Create()
    {
        var id = Guid.NewGuid();
        return new KeyRing(
            [
                SigningKey.FromRsa($"d-{id}", isDynamic: true, DateTimeOffset.MinValue, null, Rsa.Value),
                SigningKey.FromRsa($"s-{id}", isDynamic: false, DateTimeOffset.MinValue, null, Rsa.Value),
            ],
            new RefreshMacKey($"m-{id}", SigningKeySecrets.CreateMac()),
            DateTimeOffset.MaxValue);
    }
}
