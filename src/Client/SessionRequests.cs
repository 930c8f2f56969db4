using Grid.Client.Browser;
using Grid.Client.Claims;
using Grid.Client.Sessions;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Grid.Client;

/// <summary>What a request's tokens came to.</summary>
internal enum RequestOutcome
{
    /// <summary>It brought no session.</summary>
    None,

    Session,

    /// <summary>The client shall refresh and come again.</summary>
    TryRefresh,

    /// <summary>Its session is over: the client shall forget its tokens.</summary>
    Ended,

    InvalidClaims,
}

/// <summary>Outcome of a check; a feature of the request's context, so that it is made once.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Session">Set with <c>Session</c> and <c>InvalidClaims</c>.</param>
/// <param name="Problems">Set with <c>InvalidClaims</c>.</param>
/// <param name="Why">For logs.</param>
/// <param name="ExpiredHandle">Set with <c>TryRefresh</c> if all that is wrong is the access token's age: whose session it is.</param>
internal sealed record RequestCheck(
    RequestOutcome Outcome, GridSession? Session = null, IReadOnlyList<ClaimProblem>? Problems = null, string? Why = null, string? ExpiredHandle = null);

/// <summary>How the tokens of a session that is being made will travel.</summary>
/// <param name="Transfer">By cookie or header.</param>
/// <param name="WithAntiCsrf">Whether to bind an anti-CSRF token.</param>
internal readonly record struct HandOver(TokenTransfer Transfer, bool WithAntiCsrf);

/// <summary>Finds, checks, refreshes and ends the session that a request belongs to. Every door of the browser side goes through here.</summary>
internal sealed class SessionRequests
{
    private readonly GridOptions _options;
    private readonly SiteRules _site;
    private readonly SessionCookies _cookies;
    private readonly TimeProvider _clock;
    private readonly ClaimValidator[] _validators;

    public SessionRequests(IGridSessions sessions, IOptions<GridOptions> options, TimeProvider clock)
    {
        _options = options.Value;
        _clock = clock;
        _site = new SiteRules(_options);
        _cookies = new SessionCookies(_options, _site);
        _validators = [.. _options.ClaimValidators];
        Sessions = sessions;
        Transport = new SessionTransport(_options, _cookies, clock);
    }

    public IGridSessions Sessions { get; }

    public SessionTransport Transport { get; }

    public GridOptions Options => _options;

    /// <summary>The <c>iss</c> claim: where the published keys are found (OpenID Connect Discovery 1.0 §3).</summary>
    public string Issuer => _options.ApiDomain + _options.ApiBasePath.TrimEnd('/');

    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <param name="context">Of the request.</param>
    /// <param name="endpoint">Exceptions from the rule; null for none.</param>
    /// <param name="method">Of the request, or of the one that a proxy asks for.</param>
    public async ValueTask<RequestCheck> CheckAsync(HttpContext context, GridEndpoint? endpoint, string method)
    {
        var cancel = context.RequestAborted;
        if (SessionCookies.Find(context, SessionCookies.LegacyName, out _) is not null)
        {
            return TryRefresh("cookie of an older SDK");
        }

        var presented = Transport.FindAccess(context);
        if (presented.Token is not { } token)
        {
            return new RequestCheck(RequestOutcome.None);
        }

        if (presented.Several)
        {
            return TryRefresh("several access token cookies");
        }

        var checkAntiCsrf = presented.Transfer == TokenTransfer.Cookie && (endpoint?.CheckAntiCsrf ?? ChangesState(method));
        var mode = checkAntiCsrf ? _site.AntiCsrf(context) : AntiCsrfMode.None;
        if (mode == AntiCsrfMode.ViaCustomHeader && !context.Request.Headers.ContainsKey("rid"))
        {
            return TryRefresh("anti-CSRF: no rid header");
        }

        var check = await Sessions.VerifyAsync(
            new TokenToCheck(token, mode == AntiCsrfMode.ViaToken, SessionTransport.AntiCsrf(context), endpoint?.CheckEachRequest ?? _options.CheckEachRequest), cancel);
        if (check.Verdict != TokenVerdict.Ok)
        {
            return check.Verdict == TokenVerdict.TryRefresh ? TryRefresh(check.Why) with { ExpiredHandle = ExpiredHandle(context, check.Token, mode) } : new RequestCheck(RequestOutcome.Ended, Why: check.Why);
        }

        var content = check.Token!;
        var session = new GridSession(this, context, presented.Transfer, token, content.SessionHandle, content.UserId, content.TenantId, content.PayloadJson);
        IReadOnlyList<ClaimValidator> validators = endpoint?.ClaimValidators is { } choose ? [.. choose(_validators)] : _validators;
        return validators.Count > 0 && await session.CheckClaimsAsync(validators, cancel) is { Count: > 0 } problems
            ? new RequestCheck(RequestOutcome.InvalidClaims, session, problems)
            : new RequestCheck(RequestOutcome.Session, session);
    }

    /// <summary>Creates a session and puts its tokens into the answer. A session that the request already had is replaced: it ends.</summary>
    public async Task<GridSession> SignInAsync(HttpContext context, NewGridSession session) => (await HandOverAsync(
        context,
        async handOver =>
        {
            RefuseTooLong(context, handOver, session.UserId, session.TenantId, session.PayloadJson);
            return await Sessions.CreateAsync(
                session with { WithAntiCsrf = handOver.WithAntiCsrf, UseDynamicSigningKey = _options.UseDynamicSigningKey }, context.RequestAborted);
        }))!;

    /// <summary>As <see cref="SignInAsync"/>, with a session that somebody else makes; null if he makes none.</summary>
    /// <param name="context">Of the request.</param>
    /// <param name="create">Told how its tokens will travel.</param>
    public async Task<GridSession?> HandOverAsync(HttpContext context, Func<HandOver, Task<CreatedGridSession?>> create)
    {
        var transfer = Transport.ForNewSession(context);
        if (transfer == TokenTransfer.Cookie && _site.SameSite(context) == SameSiteMode.None && !_site.Secure
            && _options.WebsiteDomains.Any(website => !SiteRules.BothLocal(_options.ApiDomain, website)))
        {
            throw new GridException(GridFailure.Refused, "Page and API are on different sites, where browsers take only Secure cookies: serve ApiDomain by https, or use header mode.");
        }

        var old = Transport.FindAccess(context);
        if (await create(new HandOver(transfer, transfer == TokenTransfer.Cookie && _site.AntiCsrf(context) == AntiCsrfMode.ViaToken)) is not { } created)
        {
            return null;
        }

        // Whoever planted a session in this browser shall not share the one that follows. An expired token names it as well as a
        // fresh one, and its refresh token would go on for months.
        HashSet<string> ended = [created.Handle];
        foreach (var token in Transport.FindEveryAccess(context))
        {
            if (await Sessions.VerifyAsync(new TokenToCheck(token, false, null, false), CancellationToken.None) is { Token: { } replaced } && ended.Add(replaced.SessionHandle))
            {
                await Sessions.RevokeAsync(replaced.SessionHandle, CancellationToken.None);
            }
        }

        if (transfer == TokenTransfer.Header && Transport.HasAccessCookie(context))
        {
            Transport.Clear(context, TokenTransfer.Cookie);
        }
        else if (transfer == TokenTransfer.Cookie && old is { Token: not null, Transfer: TokenTransfer.Header })
        {
            Transport.Clear(context, TokenTransfer.Header);
        }

        Transport.SetAll(context, transfer, created.UserId, created.Tokens);
        return new GridSession(this, context, transfer, created.Tokens.Access, created.Handle, created.UserId, created.TenantId, created.PayloadJson);
    }

    /// <summary>Exchanges the refresh token that came; the answer's cookies and headers say the same as the verdict.</summary>
    public async Task<RefreshAnswer> RefreshAsync(HttpContext context)
    {
        if (Transport.HasDuplicates(context, out var access, out var refresh))
        {
            return ClearDuplicates(context, access, refresh);
        }

        var presented = Transport.FindRefresh(context, out var otherToo);
        if (presented.Token is not { } token)
        {
            _cookies.ClearLegacy(context);
            return Over(context, RefreshAnswer.Unauthorised);
        }

        var mode = presented.Transfer == TokenTransfer.Cookie ? _site.AntiCsrf(context) : AntiCsrfMode.None;
        if (mode == AntiCsrfMode.ViaCustomHeader && !context.Request.Headers.ContainsKey("rid"))
        {
            return Over(context, RefreshAnswer.Unauthorised);
        }

        // Once begun it goes on though the browser leaves: half of a rotation would cost the user the session.
        var refreshed = await Sessions.RefreshAsync(
            new TokenToRefresh(token, mode == AntiCsrfMode.ViaToken, SessionTransport.AntiCsrf(context), _options.UseDynamicSigningKey)
            {
                MaxAccessTokenLength = Transport.MaxAccessTokenLength(context, presented.Transfer),
            },
            CancellationToken.None);
        if (refreshed.Verdict != TokenVerdict.Ok)
        {
            // A theft has ended the session already, before it was answered.
            _cookies.ClearLegacy(context);
            return Over(context, refreshed.Verdict == TokenVerdict.TokenTheft ? RefreshAnswer.TokenTheft : RefreshAnswer.Unauthorised);
        }

        if (otherToo)
        {
            Transport.Clear(context, presented.Transfer == TokenTransfer.Cookie ? TokenTransfer.Header : TokenTransfer.Cookie);
        }

        Transport.SetAll(context, presented.Transfer, refreshed.UserId!, refreshed.Tokens!);
        _cookies.ClearLegacy(context);
        return RefreshAnswer.Refreshed;
    }

    /// <summary>Refuses a session whose access token could not be handed over, before it is made.</summary>
    /// <exception cref="GridException"><see cref="GridFailure.TokenTooLong"/>.</exception>
    public void RefuseTooLong(HttpContext context, HandOver handOver, string userId, string tenantId, string payloadJson)
    {
        var tenant = tenantId == GridDefaults.TenantId ? "" : "_" + tenantId;
        RefuseTooLong(context, handOver.Transfer, new AccessTokenContent
        {
            Version = AccessTokenVersion.V5,
            UserId = userId,
            IssuedAt = Now,
            ExpiresAt = Now,
            TenantId = tenantId,
            RecipeUserId = userId,
            SessionHandle = Guid.Empty + tenant,
            RefreshTokenHash1 = new string('0', 64),
            AntiCsrfToken = handOver.WithAntiCsrf ? Guid.Empty.ToString() : null,
            PayloadJson = payloadJson,
        });
    }

    /// <summary>Refuses an access token that could not reach the client and come back.</summary>
    /// <exception cref="GridException"><see cref="GridFailure.TokenTooLong"/>.</exception>
    public void RefuseTooLong(HttpContext context, TokenTransfer transfer, AccessTokenContent content)
    {
        var max = Transport.MaxAccessTokenLength(context, transfer);
        if (AccessTokenSize.IsCertainlyWithin(max, content.UserId, content.PayloadJson))
        {
            return;
        }

        var length = AccessTokenSize.Of(content);
        if (length > max)
        {
            throw new GridException(
                GridFailure.TokenTooLong,
                $"The access token would have {length} characters, and {(transfer == TokenTransfer.Cookie ? "its cookie" : "a header")} holds {max}: put less into the payload{(transfer == TokenTransfer.Cookie ? ", or use header mode" : "")}.");
        }
    }

    /// <summary>As <see cref="RefuseTooLong(HttpContext, HandOver, string, string, string)"/>, where the client that will ask, and its way, are not known yet.</summary>
    public void RefuseTooLongForAnybody(HttpContext context, string userId, string tenantId, string payloadJson)
    {
        var transfer = _options.TokenTransfer == TokenTransfer.Header ? TokenTransfer.Header : TokenTransfer.Cookie;
        RefuseTooLong(context, new HandOver(transfer, transfer == TokenTransfer.Cookie && _options.AntiCsrf == AntiCsrfMode.ViaToken), userId, tenantId, payloadJson);
    }

    private RefreshAnswer ClearDuplicates(HttpContext context, bool access, bool refresh)
    {
        if (_options.OlderCookieDomain is not { } older)
        {
            throw new GridException(
                GridFailure.Refused,
                "The request brings a session cookie twice, as happens after a change of CookieDomain. Set OlderCookieDomain to the former CookieDomain (empty if there was none), and the old ones are cleared.");
        }

        if (access)
        {
            _cookies.ClearAccess(context, older);
        }

        if (refresh)
        {
            _cookies.ClearRefresh(context, older);
        }

        Transport.RepeatFrontToken(context);
        return RefreshAnswer.DuplicatesCleared;
    }

    private RefreshAnswer Over(HttpContext context, RefreshAnswer answer)
    {
        Transport.ClearEverywhere(context);
        return answer;
    }

    // Whoever cannot prove that the page sent it may not end a session with it.
    private static string? ExpiredHandle(HttpContext context, AccessTokenContent? token, AntiCsrfMode mode) =>
        token is not null && (mode != AntiCsrfMode.ViaToken || (token.AntiCsrfToken is { } bound && bound == SessionTransport.AntiCsrf(context))) ? token.SessionHandle : null;

    private static bool ChangesState(string method) =>
        !(HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method));

    private static RequestCheck TryRefresh(string? why) => new(RequestOutcome.TryRefresh, Why: why);
}

/// <summary>What the refresh endpoint answers.</summary>
internal enum RefreshAnswer
{
    Refreshed,
    Unauthorised,
    TokenTheft,

    /// <summary>Cookies of the older domain are cleared; the next refresh will do.</summary>
    DuplicatesCleared,
}
