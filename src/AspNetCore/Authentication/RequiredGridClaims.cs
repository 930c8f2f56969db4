using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Authentication;

/// <summary>Metadata of <c>RequireGridClaims</c>, and the requirement that authorization makes of it. Every one on an endpoint and its groups counts.</summary>
/// <remarks>
/// <see cref="GridHandler"/> checks the claims, so that its answer has the reasons. This one fails closed where it could not: another
/// scheme said who the user is, or authentication ran before routing and did not know the endpoint.
/// </remarks>
internal sealed class RequiredGridClaims(ClaimValidator[] validators) : IAuthorizationRequirement, IAuthorizationRequirementData, IAuthorizationHandler
{
    public IReadOnlyList<ClaimValidator> Validators => validators;

    public IEnumerable<IAuthorizationRequirement> GetRequirements() => [this];

    public async Task HandleAsync(AuthorizationHandlerContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Resource is not HttpContext http || http.Features.Get<RequestCheck>() is not { Outcome: RequestOutcome.Session, Session: { } session } check)
        {
            return;
        }

        if (!ReferenceEquals(check.For, http.GetEndpoint()) && await session.CheckClaimsAsync(validators, http.RequestAborted) is { Count: > 0 } problems)
        {
            http.Features.Set(new RequestCheck(RequestOutcome.InvalidClaims, session, problems));
            return;
        }

        context.Succeed(this);
    }
}
