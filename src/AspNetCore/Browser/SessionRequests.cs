using Grid.AspNetCore.Claims;
using Grid.AspNetCore.Endpoints;
using Grid.AspNetCore.Live;
using Grid.Client;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Browser;

/// <summary>
/// Finds and checks the session of a request, and hands over a new one. All endpoints of the browser side go through here.
/// </summary>
internal sealed class SessionRequests
{
    private readonly GridOptions _options;
    private readonly TimeProvider _clock;
    private readonly ClaimValidator[] _validators;

    public SessionRequests(IGridSessions sessions, IOptions<GridOptions> options, TimeProvider clock)
        : this(sessions, options.Value, clock, scheme: "")
    {
    }

    /// <param name="sessions">Of its app.</param>
    /// <param name="options">Its own.</param>
    /// <param name="clock">The application's.</param>
    /// <param name="scheme">The scheme's name; empty for the first one.</param>
    public SessionRequests(IGridSessions sessions, GridOptions options, TimeProvider clock, string scheme)
    {
        _options = options;
        _clock = clock;
        _validators = [.. _options.ClaimValidators];
        Sessions = sessions;
        Streams = new EventStreams(Microsoft.Extensions.Options.Options.Create(options));
        Site = new SiteRules(_options);
        Cookies = new SessionCookies(_options, Site, scheme);
        Transport = new SessionTransport(_options, Cookies, clock);
    }

    public IGridSessions Sessions { get; }

    public SessionTransport Transport { get; }

    public SessionCookies Cookies { get; }

    public SiteRules Site { get; }

    public GridOptions Options => _options;

    public EventStreams Streams { get; }

    /// <summary>Whether this process has other schemes of Grid too.</summary>
    public bool IsOneOfSeveral { get; set; }

    /// <summary>Keeps the outcome of a check for whoever asks in the same request.</summary>
    public void Keep(HttpContext context, RequestCheck check)
    {
        if (IsOneOfSeveral)
        {
            SchemeChecks.Of(context).Put(this, check);
        }
        else
        {
            context.Features.Set(check);
        }
    }

    /// <summary>What was kept.</summary>
    public RequestCheck? Kept(HttpContext context) => IsOneOfSeveral ? context.Features.Get<SchemeChecks>()?.Of(this) : context.Features.Get<RequestCheck>();

    /// <summary>The <c>iss</c> claim: where the published keys are found (OpenID Connect Discovery 1.0, section 3).</summary>
    /// <param name="context">The request: the application may be mounted below a path.</param>
    public string Issuer(HttpContext context) => _options.ApiDomain + Site.BasePath(context);

    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <summary>Finds the request's session and checks its token, origin and claims.</summary>
    /// <param name="context">The request.</param>
    /// <param name="endpoint">The endpoint's overrides; null for none.</param>
    /// <param name="method">The method of the request, or of the one that a proxy asks about.</param>
    public async ValueTask<RequestCheck> CheckAsync(HttpContext context, GridEndpoint? endpoint, string method)
    {
        var cancel = context.RequestAborted;
        var presented = Transport.FindAccess(context);
        if (presented.Token is not { } token)
        {
            return !Cookies.HasLegacy(context) ? new RequestCheck(RequestOutcome.None) : TryRefresh("cookie of an older SDK");
        }

        var checkAntiCsrf = presented.Transfer == TokenTransfer.Cookie && (endpoint?.CheckAntiCsrf ?? ChangesState(method));
        if ((checkAntiCsrf || (presented.Transfer == TokenTransfer.Cookie && OpensWebSocket(context.Request))) && Site.IsForeign(context))
        {
            return TryRefresh("a page of another origin");
        }

        var mode = checkAntiCsrf ? Site.AntiCsrf(context) : AntiCsrfMode.None;
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
            // Its signature was checked before its session was.
            return check.Verdict == SessionVerdict.TryRefresh
                ? TryRefresh(check.Why) with { ExpiredHandle = ExpiredHandle(context, check.Token, mode), Token = check.Token }
                : new RequestCheck(RequestOutcome.Ended, Why: check.Why) { Token = AccessTokenVerifier.TryReadUnverified(token, out var ended) ? ended : null };
        }

        var content = check.Token!;
        var session = new GridSession(this, context, presented.Transfer, token, content.SessionHandle, content.UserId, content.RecipeUserId, content.TenantId, content.PayloadJson, content.ExpiresAt);
        var validators = endpoint is null ? _validators : endpoint.Validators(_validators);
        return validators.Count > 0 && await session.CheckClaimsAsync(validators, cancel) is { Count: > 0 } problems
            ? new RequestCheck(RequestOutcome.InvalidClaims, session, problems)
            : new RequestCheck(RequestOutcome.Session, session);
    }

    /// <summary>
    /// Creates a session and adds its tokens to the response. Sessions that the request already had are replaced, that is, revoked.
    /// </summary>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.TokenTooLong"/>: nothing was
    /// created.</exception>
    public async Task<GridSession> SignInAsync(HttpContext context, SessionDraft draft)
    {
        var (transfer, withAntiCsrf) = ForNewSession(context);
        draft = draft with { WithAntiCsrf = withAntiCsrf, UseDynamicSigningKey = _options.UseDynamicSigningKey };
        RefuseTooLong(context, transfer, draft);
        return await HandOverAsync(context, transfer, await Sessions.CreateAsync(draft, context.RequestAborted));
    }

    /// <summary>How the tokens of a session that is about to be created will travel.</summary>
    /// <exception cref="GridException"><see cref="GridFailure.Refused"/>: browsers would not keep its cookies.</exception>
    public (TokenTransfer Transfer, bool WithAntiCsrf) ForNewSession(HttpContext context)
    {
        var transfer = Transport.ForNewSession(context);
        return transfer == TokenTransfer.Cookie && Site.SameSite(context) == SameSiteMode.None && !Site.Secure
            && _options.WebsiteDomains.Any(website => !SiteRules.BothLocal(_options.ApiDomain, website))
            ? throw new GridException(GridFailure.Refused, "Page and API are on different sites, where browsers accept only Secure cookies: serve ApiDomain over https, or use header mode.")
            : (transfer, transfer == TokenTransfer.Cookie && Site.AntiCsrf(context) == AntiCsrfMode.ViaToken);
    }

    /// <summary>Revokes the sessions that the request already had, and adds the new one's tokens to the response.</summary>
    /// <exception cref="GridException">Grid is unavailable: the tokens are not handed over, and the new session is revoked.</exception>
    public async Task<GridSession> HandOverAsync(HttpContext context, TokenTransfer transfer, CreatedSession created)
    {
        try
        {
            await ReplaceAsync(context, created.Handle);
        }
        catch
        {
            await Sessions.CleanUpAsync(created.Handle);
            throw;
        }

        if (transfer == TokenTransfer.Header && Transport.HasAccessCookie(context))
        {
            Transport.Clear(context, TokenTransfer.Cookie);
        }
        else if (transfer == TokenTransfer.Cookie && Transport.FindAccess(context) is { Token: not null, Transfer: TokenTransfer.Header })
        {
            Transport.Clear(context, TokenTransfer.Header);
        }

        Transport.SetAll(context, transfer, created.UserId, created.Tokens);
        Transport.ClearDuplicates(context);
        return new GridSession(
            this, context, transfer, created.Tokens.Access.Text, created.Handle, created.UserId, created.RecipeUserId, created.TenantId, created.PayloadJson, created.Tokens.Access.ExpiresAt)
        { ExpiresAt = created.Tokens.Refresh.ExpiresAt };
    }

    /// <summary>Refuses a session whose access token would not fit into its cookie or header, before it is created.</summary>
    /// <exception cref="GridException"><see cref="GridFailure.TokenTooLong"/>.</exception>
    public void RefuseTooLong(HttpContext context, TokenTransfer transfer, SessionDraft draft)
    {
        var tenant = draft.TenantId == GridDefaults.TenantId ? "" : "_" + draft.TenantId;
        RefuseTooLong(context, transfer, new AccessTokenContent
        {
            Version = AccessTokenVersion.V5,
            UserId = draft.UserId,
            IssuedAt = Now,
            ExpiresAt = Now,
            TenantId = draft.TenantId,
            RecipeUserId = draft.UserId,
            SessionHandle = Guid.Empty + tenant,
            RefreshTokenHash1 = new string('0', 64),
            AntiCsrfToken = draft.WithAntiCsrf ? Guid.Empty.ToString() : null,
            PayloadJson = draft.PayloadJson,
        });
    }

    /// <summary>Refuses an access token that would not fit into its cookie or header.</summary>
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

    /// <summary>
    /// Like <see cref="RefuseTooLong(HttpContext, TokenTransfer, SessionDraft)"/>, when the client and how its tokens will travel are not
    /// known yet.
    /// </summary>
    public void RefuseTooLongForAnybody(HttpContext context, SessionDraft draft)
    {
        var transfer = _options.TokenTransfer == TokenTransfer.Header ? TokenTransfer.Header : TokenTransfer.Cookie;
        RefuseTooLong(context, transfer, draft with { WithAntiCsrf = transfer == TokenTransfer.Cookie && _options.AntiCsrf == AntiCsrfMode.ViaToken });
    }

    /// <summary>
    /// Whether a page of another origin may have sent the request. A request with nothing but a bearer token cannot come from one.
    /// </summary>
    public bool IsFromForeignPage(HttpContext context) => Site.IsForeign(context) && !Transport.HasBearerOnly(context);

    // An attacker who planted a session in this browser must not share the one that follows. An expired token identifies it as well as a
    // fresh one does, and its refresh token would work for months.
    private async Task ReplaceAsync(HttpContext context, string created)
    {
        HashSet<string> ended = [created];
        foreach (var token in Transport.FindEveryAccess(context).Concat(Transport.AccessCandidates(context)).Distinct())
        {
            if (await Sessions.VerifyAsync(new TokenToCheck(token, false, null, false), CancellationToken.None) is { Token: { } replaced } && ended.Add(replaced.SessionHandle))
            {
                await LiveRequest.EndOwnAsync(context, () => Sessions.ReplaceAsync(replaced.SessionHandle));
            }
        }
    }

    // Only a request that proves that our page sent it may end a session with an expired token.
    private static string? ExpiredHandle(HttpContext context, AccessTokenContent? token, AntiCsrfMode mode) =>
        token is not null && (mode != AntiCsrfMode.ViaToken || (token.AntiCsrfToken is { } bound && bound == SessionTransport.AntiCsrf(context))) ? token.SessionHandle : null;

    private static bool ChangesState(string method) =>
        !(HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method));

    // Browsers open WebSockets with GET, without headers of the page's choice, and let any page read what comes back (RFC 6455, section
    // 10.2).
    private static bool OpensWebSocket(HttpRequest request) => request.Headers.SecWebSocketKey.Count > 0 || request.Headers.SecWebSocketVersion.Count > 0;

    private static RequestCheck TryRefresh(string? why) => new(RequestOutcome.TryRefresh, Why: why);
}
