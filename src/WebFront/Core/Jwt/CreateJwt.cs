using Grid.Abstractions.SigningKeys;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Jwt;

/// <summary><c>POST /recipe/jwt</c>. Source: <c>docs/protocol/core.md</c>, "Beyond sessions".</summary>
internal static class CreateJwt
{
    // A hundred years: anything longer was probably meant as milliseconds.
    private const long MaxValiditySeconds = 100L * 366 * 24 * 3600;

    public static async Task HandleAsync(HttpContext context, IKeyRings keyRings, TimeProvider clock)
    {
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var algorithm = body.String("algorithm");
        var payload = body.Object("payload");
        var validity = body.LongOrNull("validity") ?? throw CoreException.BadField("validity");
        var issuer = body.StringOrNull("jwksDomain");
        var useStaticKey = body.BoolOrNull("useStaticSigningKey") ?? true;
        if (!string.Equals(algorithm, "RS256", StringComparison.OrdinalIgnoreCase))
        {
            await CoreResponse.WriteStatusAsync(context, "UNSUPPORTED_ALGORITHM_ERROR");
            return;
        }

        if (validity is <= 0 or > MaxValiditySeconds)
        {
            throw new CoreException(400, "validity must be greater than or equal to 0");
        }

        var now = clock.GetUtcNow();
        var ring = await keyRings.GetAsync(request.App, CancellationToken.None);
        var jwt = JwtIssuer.Mint(payload, TimeSpan.FromSeconds(validity), issuer, ring.SigningKey(dynamic: !useStaticKey, now), now);
        await CoreResponse.WriteAsync(context, "OK", jwt, static (json, token) => json.WriteString("jwt"u8, token));
    }
}
