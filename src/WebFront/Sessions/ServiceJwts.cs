using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.SigningKeys;
using Grid.Tokens.Access;
using Grid.Tokens.SigningKeys;

namespace Grid.WebFront.Sessions;

/// <summary>JWTs that one service shows to another, signed with the app's published keys. None is an access token: the header has no version.</summary>
internal sealed class ServiceJwts(IKeyRings keyRings, TrustedClock clock)
{
    /// <summary>A hundred years: anything longer was probably meant as milliseconds.</summary>
    public static readonly TimeSpan MaxValidity = TimeSpan.FromDays(100 * 366);

    /// <exception cref="SessionRefusedException">The payload is none, or the validity is out of range.</exception>
    public async Task<string> MintAsync(AppSnapshot app, string? payloadJson, TimeSpan validity, string? issuer, bool useStaticKey)
    {
        var payload = ClientInput.JsonObject(payloadJson, "The payload");
        return Mint(payload, validity, issuer, useStaticKey, await keyRings.GetAsync(app, CancellationToken.None), clock.GetUtcNow());
    }

    /// <inheritdoc cref="MintAsync"/>
    public static string Mint(string payloadJson, TimeSpan validity, string? issuer, bool useStaticKey, KeyRing keys, DateTimeOffset now)
    {
        if (validity < TimeSpan.FromSeconds(1) || validity > MaxValidity)
        {
            throw new SessionRefusedException($"The validity must be between 1 second and {MaxValidity.TotalDays:0} days");
        }

        StorableText.Require(issuer, "The issuer");
        return JwtIssuer.Mint(payloadJson, validity, issuer, keys.SigningKey(dynamic: !useStaticKey, now), now);
    }
}
