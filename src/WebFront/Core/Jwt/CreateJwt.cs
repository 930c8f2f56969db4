using Grid.Abstractions.SigningKeys;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Jwt;

/// <summary><c>POST /recipe/jwt</c>. Source: <c>docs/protocol/core.md</c>, "Beyond sessions".</summary>
internal static class CreateJwt
{
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

        if (validity <= 0 || validity > ServiceJwts.MaxValidity.TotalSeconds)
        {
            throw new CoreException(400, "validity must be greater than or equal to 0");
        }

        var ring = await keyRings.GetAsync(request.App, CancellationToken.None);
        var jwt = ServiceJwts.Mint(payload, TimeSpan.FromSeconds(validity), issuer, useStaticKey, ring, clock.GetUtcNow());
        await CoreResponse.WriteAsync(context, "OK", jwt, static (json, token) => json.WriteString("jwt"u8, token));
    }
}
