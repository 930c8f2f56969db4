using System.Security.Claims;
using System.Text.Encodings.Web;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Live;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Authentication;

/// <summary>The authentication handler: who the user is, and how a refused request is answered.</summary>
internal sealed partial class GridHandler(IOptionsMonitor<GridSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, SessionRequests requests)
    : SignInAuthenticationHandler<GridSchemeOptions>(options, logger, encoder), IAuthenticationRequestHandler
{
    private static readonly Task<bool> GoesOn = Task.FromResult(false);

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
        EventAnswers.WriteAsync(Context, requests, _check ?? new RequestCheck(RequestOutcome.None));

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Context.Features.Get<RequestCheck>() is { Outcome: RequestOutcome.InvalidClaims } check
            ? EventAnswers.WriteAsync(Context, requests, check)
            : FrontAnswers.MessageAsync(Context, StatusCodes.Status403Forbidden, "forbidden");

    protected override async Task HandleSignInAsync(ClaimsPrincipal user, AuthenticationProperties? properties)
    {
        SignInProperties.RefuseWhatCannotBeKept(properties ?? new AuthenticationProperties());
        var userId = user.Identities.Select(UserId).FirstOrDefault(id => id is not null)
            ?? throw new InvalidOperationException("The principal to sign in needs a 'sub' or a NameIdentifier claim, which becomes the session's user id.");
        var payload = PayloadClaims.ToPayload(user, userId, requests.Options, requests.Now, out var leftOut);
        if (leftOut.Count > 0)
        {
            Log.ClaimsLeftOut(Logger, string.Join(", ", leftOut));
        }

        if (properties?.IsPersistent != true)
        {
            payload[SignInProperties.UntilClosed] = true;
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
        new ClaimsPrincipal(new GridIdentity(session, requests.Options, Scheme.Name)),

        // Lets what outlasts a request, such as a SignalR connection, end with the token.
        new AuthenticationProperties { ExpiresUtc = session.AccessTokenExpiresAt },
        Scheme.Name);

    private static string? UserId(ClaimsIdentity identity) =>
        (identity.FindFirst("sub") ?? identity.FindFirst(ClaimTypes.NameIdentifier)) is { Value.Length: > 0 } id ? id.Value : null;

    private static partial class Log
    {
        [LoggerMessage(4030, LogLevel.Debug, "A principal signed in without its claims of the types {Types}: GridOptions.PrincipalClaims does not have them")]
        public static partial void ClaimsLeftOut(ILogger logger, string types);
    }
}
