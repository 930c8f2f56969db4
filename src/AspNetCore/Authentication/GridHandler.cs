using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Grid.AspNetCore.Live;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Authentication;

/// <summary>The authentication handler: who the user is, and how a refused request is answered.</summary>
internal sealed class GridHandler(IOptionsMonitor<GridSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, SessionRequests requests)
    : SignInAuthenticationHandler<GridSchemeOptions>(options, logger, encoder), IAuthenticationRequestHandler
{
    private static readonly Task<bool> GoesOn = Task.FromResult(false);

    // The claim in which the SuperTokens SDKs keep them.
    private static readonly PrimitiveArrayClaim<string> Roles = new("st-role");

    private RequestCheck? _check;

    /// <summary>Refuses what an endpoint with an optional session must not take for a stranger's request: no requirement does that.</summary>
    /// <returns>Whether the request was answered.</returns>
    public Task<bool> HandleRequestAsync() =>
        Context.GetEndpoint()?.Metadata.GetMetadata<OptionalGridSessionAttribute>() is null ? GoesOn : AnswerOptionalAsync();

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var endpoint = Context.GetEndpoint();
        _check = await requests.CheckAsync(Context, GridEndpoint.Of(endpoint), Request.Method);
        _check.For = endpoint;
        Context.Features.Set(_check);
        if (KeptRequest.IsOfHub(Context))
        {
            KeptRequest.Keep(Context, _check);
        }

        return _check.Outcome switch
        {
            RequestOutcome.None => AuthenticateResult.NoResult(),
            RequestOutcome.Session => AuthenticateResult.Success(Ticket(_check.Session!)),
            RequestOutcome.TryRefresh => AuthenticateResult.Fail("The access token is not acceptable; refreshing may help."),
            RequestOutcome.Ended => AuthenticateResult.Fail("The session has ended."),
            RequestOutcome.InvalidClaims => AuthenticateResult.Fail("A claim failed validation."),
            _ => throw new InvalidOperationException($"Unknown outcome {_check.Outcome}."),
        };
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        FrontAnswers.WriteAsync(Context, requests, _check ?? new RequestCheck(RequestOutcome.None));

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Context.Features.Get<RequestCheck>() is { Outcome: RequestOutcome.InvalidClaims } check
            ? FrontAnswers.WriteAsync(Context, requests, check)
            : FrontAnswers.MessageAsync(Context, StatusCodes.Status403Forbidden, "forbidden");

    protected override async Task HandleSignInAsync(ClaimsPrincipal user, AuthenticationProperties? properties)
    {
        var userId = user.FindFirst("sub")?.Value ?? user.FindFirst(ClaimTypes.NameIdentifier)?.Value
            ?? throw new InvalidOperationException("The principal to sign in needs a 'sub' or a NameIdentifier claim, which becomes the session's user id.");
        var payload = new JsonObject();

        // Scripts can read the payload, and principals carry claims that must stay private: copy only what was asked for.
        foreach (var group in user.Claims.Where(c => requests.Options.PrincipalClaims.Contains(c.Type)).GroupBy(c => c.Type, c => c.Value))
        {
            string[] values = [.. group];
            payload[group.Key] = values.Length == 1 ? values[0] : new JsonArray([.. values.Select(v => (JsonNode)v)]);
        }

        await Context.SignInGridAsync(userId, payload, tenantId: user.FindFirst("tid")?.Value ?? GridDefaults.TenantId);
    }

    protected override Task HandleSignOutAsync(AuthenticationProperties? properties) => Context.SignOutGridAsync();

    private async Task<bool> AnswerOptionalAsync()
    {
        _ = await AuthenticateAsync();
        switch (_check!.Outcome)
        {
            case RequestOutcome.None or RequestOutcome.Session:
                return false;
            case RequestOutcome.InvalidClaims:
                await ForbidAsync(null);
                return true;
            default:
                await ChallengeAsync(null);
                return true;
        }
    }

    private AuthenticationTicket Ticket(GridSession session) => new(
        Principal(session),

        // Lets what outlasts a request, such as a SignalR connection, end with the token.
        new AuthenticationProperties { ExpiresUtc = session.AccessTokenExpiresAt },
        Scheme.Name);

    private ClaimsPrincipal Principal(GridSession session)
    {
        var identity = new ClaimsIdentity(
            [new Claim("sub", session.UserId), new Claim("sid", session.Handle), new Claim("tid", session.TenantId)], Scheme.Name, "sub", "role");
        if (session.PayloadJson.Contains(Roles.Key, StringComparison.Ordinal))
        {
            identity.AddClaims((session.GetClaim(Roles) ?? []).Select(role => new Claim("role", role)));
        }

        return new ClaimsPrincipal(identity);
    }
}
