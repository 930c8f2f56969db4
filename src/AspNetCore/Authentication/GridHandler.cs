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
internal sealed partial class GridHandler(IOptionsMonitor<GridSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, GridSchemes schemes)
    : SignInAuthenticationHandler<GridSchemeOptions>(options, logger, encoder), IAuthenticationRequestHandler
{
    private static readonly Task<bool> GoesOn = Task.FromResult(false);

    private RequestCheck? _check;

    private SessionRequests Side => schemes.Find(Scheme.Name);

    /// <summary>Refuses what an endpoint with an optional session must not take for a stranger's request: no requirement does that.</summary>
    /// <returns>Whether the request was answered.</returns>
    public Task<bool> HandleRequestAsync() =>
        Context.GetEndpoint()?.Metadata.GetMetadata<OptionalGridSessionAttribute>() is null ? GoesOn : AnswerOptionalAsync();

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var endpoint = Context.GetEndpoint();
        if (schemes.AreSeveral && !await IsForThisAsync(endpoint))
        {
            return AuthenticateResult.NoResult();
        }

        var requests = Side;
        _check = await requests.CheckAsync(Context, GridEndpoint.Of(endpoint), Request.Method);
        _check.For = endpoint;
        requests.Keep(Context, _check);
        if (KeptRequest.IsOfHub(Context))
        {
            if (schemes.AreSeveral)
            {
                KeptRequest.Keep(Context, SchemeChecks.Of(Context));
            }
            else
            {
                KeptRequest.Keep(Context, _check);
            }
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
        IsAnotherToAnswer(Side.Options.SessionExpiredStatusCode) ? Task.CompletedTask
        : EventAnswers.WriteAsync(Context, Side, _check ?? new RequestCheck(RequestOutcome.None));

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        IsAnotherToAnswer(StatusCodes.Status403Forbidden) ? Task.CompletedTask
        : Side.Kept(Context) is { Outcome: RequestOutcome.InvalidClaims } check
            ? EventAnswers.WriteAsync(Context, Side, check)
            : FrontAnswers.MessageAsync(Context, StatusCodes.Status403Forbidden, "forbidden");

    protected override async Task HandleSignInAsync(ClaimsPrincipal user, AuthenticationProperties? properties)
    {
        SignInProperties.RefuseWhatCannotBeKept(properties ?? new AuthenticationProperties());
        var userId = user.Identities.Select(UserId).FirstOrDefault(id => id is not null)
            ?? throw new InvalidOperationException("The principal to sign in needs a 'sub' or a NameIdentifier claim, which becomes the session's user id.");
        var payload = PayloadClaims.ToPayload(user, userId, Side.Options, Side.Now, out var leftOut);
        if (leftOut.Count > 0)
        {
            Log.ClaimsLeftOut(Logger, string.Join(", ", leftOut));
        }

        if (properties?.IsPersistent != true)
        {
            payload[SignInProperties.UntilClosed] = true;
        }

        await Context.SignInGridAsync(userId, payload, tenantId: user.FindFirst("tid")?.Value ?? GridDefaults.TenantId, scheme: Scheme.Name);
    }

    protected override Task HandleSignOutAsync(AuthenticationProperties? properties) => Context.SignOutGridAsync(Scheme.Name);

    // What an endpoint is for one app's sessions must not depend on another's: neither on its tokens nor on whether its Grid is there.
    private async ValueTask<bool> IsForThisAsync(Endpoint? endpoint)
    {
        var named = await schemes.NamedByAsync(endpoint);
        if (named.Count > 0 && !named.Contains(Side))
        {
            return false;
        }

        SchemeChecks.Of(Context).Named = named;
        return true;
    }

    // A policy of several schemes has each of them refuse the request, and there is one answer.
    private bool IsAnotherToAnswer(int status)
    {
        if (!schemes.AreSeveral)
        {
            return false;
        }

        if (Context.Response.HasStarted)
        {
            return true;
        }

        if (Context.Features.Get<SchemeChecks>() is not { CurrentBy: { } current } checks || ReferenceEquals(current, Side) || !checks.Named.Contains(Side))
        {
            return false;
        }

        Context.Response.StatusCode = status;
        return true;
    }

    private async Task<bool> AnswerOptionalAsync()
    {
        if (schemes.AreSeveral && !ReferenceEquals(await schemes.ForAsync(Context), Side))
        {
            return false;
        }

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
        new ClaimsPrincipal(new GridIdentity(session, Side.Options, Scheme.Name)),

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
