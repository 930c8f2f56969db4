using Grid.Tokens.SigningKeys;

namespace Grid.Tokens.Tests;

/// <summary>Keys made once for the run: an RSA key takes a tenth of a second.</summary>
internal static class Keys
{
    public static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    public static readonly byte[] FirstSecret = SigningKeySecrets.CreateRsa();
    public static readonly byte[] SecondSecret = SigningKeySecrets.CreateRsa();
    public static readonly RefreshMacKey Mac = new("m-1", SigningKeySecrets.CreateMac());
    public static readonly SigningKey Static = SigningKey.FromRsa("s-1", isDynamic: false, Now.AddDays(-1), null, SecondSecret);
    public static readonly SigningKey Dynamic = SigningKey.FromRsa("d-1", isDynamic: true, Now.AddDays(-1), null, FirstSecret);
    public static readonly KeyRing Ring = new([Dynamic, Static], Mac, Now.AddDays(6));
}
