using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Authentication;

/// <summary>
/// Metadata of <c>RequireGridClaims</c>, and the authorization requirement that it stands for. All of them on an endpoint and its groups
/// apply.
/// </summary>
/// <remarks>
/// <see cref="GridHandler"/> validates the claims, so that its response has the reasons. This handler fails closed where it could not:
/// if another scheme authenticated the user, or authentication ran before routing and did not know the endpoint.
/// </remarks>
internal sealed class RequiredGridClaims(ClaimValidator[] validators) : IAuthorizationRequirement, IAuthorizationRequirementData, IAuthorizationHandler
{
    public IReadOnlyList<ClaimValidator> Validators => validators;

    public IEnumerable<IAuthorizationRequirement> GetRequirements() => [this];

    public async Task HandleAsync(AuthorizationHandlerContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Resource is not HttpContext http || RequestCheck.Of(http) is not { Outcome: RequestOutcome.Session, Session: { } session } check)
        {
            return;
        }

        if (!ReferenceEquals(check.For, http.GetEndpoint()) && await session.CheckClaimsAsync(validators, http.RequestAborted) is { Count: > 0 } problems)
        {
            session.Side.Keep(http, new RequestCheck(RequestOutcome.InvalidClaims, session, problems));
            return;
        }

        context.Succeed(this);
    }
}
