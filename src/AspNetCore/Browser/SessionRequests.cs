using Grid.AspNetCore.Claims;
using Grid.Client;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Browser;

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
    /// <param name="context">Of the request: the application may be mounted below a path.</param>
    public string Issuer(HttpContext context) => _options.ApiDomain + _site.BasePath(context);

    /// <summary>See <see cref="SiteRules.RoutePrefix"/>.</summary>
    public string RoutePrefix
    {
        set => _site.RoutePrefix = value;
    }

    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <param name="context">Of the request.</param>
    /// <param name="endpoint">Exceptions from the rule; null for none.</param>
    /// <param name="method">Of the request, or of the one that a proxy asks for.</param>
    public async ValueTask<RequestCheck> CheckAsync(HttpContext context, GridEndpoint? endpoint, string method)
    {
        var cancel = context.RequestAborted;
        var presented = Transport.FindAccess(context);
        if (presented.Token is not { } token)
        {
            return SessionCookies.Find(context, SessionCookies.LegacyName, out _) is null ? new RequestCheck(RequestOutcome.None) : TryRefresh("cookie of an older SDK");
        }

        var checkAntiCsrf = presented.Transfer == TokenTransfer.Cookie && (endpoint?.CheckAntiCsrf ?? ChangesState(method));
        if ((checkAntiCsrf || (presented.Transfer == TokenTransfer.Cookie && OpensWebSocket(context.Request))) && _site.IsForeign(context))
        {
            return TryRefresh("a page of another origin");
        }

        var mode = checkAntiCsrf ? _site.AntiCsrf(context) : AntiCsrfMode.None;
        if (mode == AntiCsrfMode.ViaCustomHeader && !context.Request.Headers.ContainsKey("rid"))
        {
            return TryRefresh("anti-CSRF: no rid header");
        }

        var toCheck = new TokenToCheck(token, mode == AntiCsrfMode.ViaToken, SessionTransport.AntiCsrf(context), endpoint?.CheckEachRequest ?? _options.CheckEachRequest);
        TokenCheck check;
        if (presented.Several)
        {
            (check, token) = await SeveralAccessTokens.VerifyAsync(this, context, toCheck);
        }
        else
        {
            check = await Sessions.VerifyAsync(toCheck, cancel);
        }

        if (check.Verdict != SessionVerdict.Ok)
        {
            return check.Verdict == SessionVerdict.TryRefresh ? TryRefresh(check.Why) with { ExpiredHandle = ExpiredHandle(context, check.Token, mode) } : new RequestCheck(RequestOutcome.Ended, Why: check.Why);
        }

        var content = check.Token!;
        var session = new GridSession(this, context, presented.Transfer, token, content.SessionHandle, content.UserId, content.TenantId, content.PayloadJson, content.ExpiresAt);
        var validators = endpoint is null ? _validators : endpoint.Validators(_validators);
        return validators.Count > 0 && await session.CheckClaimsAsync(validators, cancel) is { Count: > 0 } problems
            ? new RequestCheck(RequestOutcome.InvalidClaims, session, problems)
            : new RequestCheck(RequestOutcome.Session, session);
    }

    /// <summary>Creates a session and puts its tokens into the answer. A session that the request already had is replaced: it ends.</summary>
    public async Task<GridSession> SignInAsync(HttpContext context, SessionDraft draft) => (await HandOverAsync(
        context,
        async handOver =>
        {
            RefuseTooLong(context, handOver, draft.UserId, draft.TenantId, draft.PayloadJson);
            return await Sessions.CreateAsync(
                draft with { WithAntiCsrf = handOver.WithAntiCsrf, UseDynamicSigningKey = _options.UseDynamicSigningKey }, context.RequestAborted);
        }))!;

    /// <summary>As <see cref="SignInAsync"/>, with a session that somebody else makes; null if he makes none.</summary>
    /// <param name="context">Of the request.</param>
    /// <param name="create">Told how its tokens will travel.</param>
    public async Task<GridSession?> HandOverAsync(HttpContext context, Func<HandOver, Task<CreatedSession?>> create)
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
        foreach (var token in Transport.FindEveryAccess(context).Concat(Transport.AccessCandidates(context)).Distinct())
        {
            if (await Sessions.VerifyAsync(new TokenToCheck(token, false, null, false), CancellationToken.None) is { Token: { } replaced } && ended.Add(replaced.SessionHandle))
            {
                await Sessions.RevokeAsync(replaced.SessionHandle, GridRevocationReason.Replaced, CancellationToken.None);
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
        Transport.ClearDuplicates(context);
        return new GridSession(
            this, context, transfer, created.Tokens.Access.Text, created.Handle, created.UserId, created.TenantId, created.PayloadJson, created.Tokens.Access.ExpiresAt);
    }

    /// <summary>Exchanges the refresh token that came; the answer's cookies and headers say the same as the verdict.</summary>
    /// <returns><c>TryRefresh</c> if only the cookies of the older domain were cleared: the next refresh brings one of each kind.</returns>
    public async Task<SessionVerdict> RefreshAsync(HttpContext context)
    {
        var twice = Transport.HasDuplicates(context, out var access, out var refresh);
        if (twice && _options.OlderCookieDomain is { } older && !SessionCookies.ClearedOlder(context))
        {
            return ClearOlder(context, older, access, refresh);
        }

        var presented = Transport.FindRefresh(context, out var otherToo);
        if (presented.Token is not { } token)
        {
            _cookies.ClearLegacy(context);
            return Over(context, SessionVerdict.Unauthorised);
        }

        var mode = presented.Transfer == TokenTransfer.Cookie ? _site.AntiCsrf(context) : AntiCsrfMode.None;
        if (mode == AntiCsrfMode.ViaCustomHeader && !context.Request.Headers.ContainsKey("rid"))
        {
            return Over(context, SessionVerdict.Unauthorised);
        }

        // Whichever of them is ours: Grid knows.
        IReadOnlyList<string> candidates = presented.Several ? Transport.RefreshCandidates(context) : [];
        if (presented.Several)
        {
            if (candidates.Count == 0)
            {
                _cookies.ClearLegacy(context);
                return Over(context, SessionVerdict.Unauthorised);
            }

            token = candidates[0];
        }

        // Once begun it goes on though the browser leaves: half of a rotation would cost the user the session.
        var refreshed = await Sessions.RefreshAsync(
            new TokenToRefresh(token, mode == AntiCsrfMode.ViaToken, SessionTransport.AntiCsrf(context), _options.UseDynamicSigningKey)
            {
                MaxAccessTokenLength = Transport.MaxAccessTokenLength(context, presented.Transfer),
                Others = candidates.Count > 1 ? [.. candidates.Skip(1)] : null,
            },
            CancellationToken.None);
        if (refreshed.Verdict != SessionVerdict.Ok)
        {
            // A theft has ended the session already, before it was answered.
            _cookies.ClearLegacy(context);
            return Over(context, refreshed.Verdict);
        }

        if (otherToo)
        {
            Transport.Clear(context, presented.Transfer == TokenTransfer.Cookie ? TokenTransfer.Header : TokenTransfer.Cookie);
        }

        Transport.SetAll(context, presented.Transfer, refreshed.UserId!, refreshed.Tokens!);
        _cookies.ClearLegacy(context);
        Transport.ClearDuplicates(context);
        return SessionVerdict.Ok;
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

    /// <summary>Whether to refuse a change because a page of another origin may be behind it. What only a bearer token can ask for, no other page can ask for.</summary>
    public bool IsFromForeignPage(HttpContext context) => _site.IsForeign(context) && !Transport.HasBearerOnly(context);

    private SessionVerdict ClearOlder(HttpContext context, string older, bool access, bool refresh)
    {
        _cookies.RememberClearedOlder(context, _clock.GetUtcNow());
        if (access)
        {
            _cookies.ClearAccess(context, older);
        }

        if (refresh)
        {
            _cookies.ClearRefresh(context, older);
        }

        Transport.RepeatFrontToken(context);
        return SessionVerdict.TryRefresh;
    }

    private SessionVerdict Over(HttpContext context, SessionVerdict verdict)
    {
        Transport.ClearEverywhere(context);
        return verdict;
    }

    // Whoever cannot prove that the page sent it may not end a session with it.
    private static string? ExpiredHandle(HttpContext context, AccessTokenContent? token, AntiCsrfMode mode) =>
        token is not null && (mode != AntiCsrfMode.ViaToken || (token.AntiCsrfToken is { } bound && bound == SessionTransport.AntiCsrf(context))) ? token.SessionHandle : null;

    private static bool ChangesState(string method) =>
        !(HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method));

    // Browsers ask with GET, without any header of the page's, and let any page listen to the answer (WebSockets, RFC 6455 §10.2).
    private static bool OpensWebSocket(HttpRequest request) => request.Headers.SecWebSocketKey.Count > 0 || request.Headers.SecWebSocketVersion.Count > 0;

    private static RequestCheck TryRefresh(string? why) => new(RequestOutcome.TryRefresh, Why: why);
}
