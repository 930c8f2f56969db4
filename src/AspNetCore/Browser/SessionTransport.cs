using Grid.Client;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Browser;

/// <summary>Reads tokens from requests and writes them to responses, by cookie or by header.</summary>
/// <remarks>Names and rules as SuperTokens' SDKs for browsers and back ends have them; <c>docs/front.md</c>.</remarks>
internal sealed class SessionTransport(GridOptions options, SessionCookies cookies, TimeProvider clock)
{
    private const string AccessHeader = "st-access-token";
    private const string RefreshHeader = "st-refresh-token";
    private const string FrontTokenHeader = "front-token";
    private const string AntiCsrfHeader = "anti-csrf";
    private const string ModeHeader = "st-auth-mode";
    private const string Bearer = "Bearer ";

    // Half of the 32 KB that servers accept for all headers together.
    private const int MaxHeaderTokenLength = 16 * 1024;

    private const int MaxTokens = 4;

    /// <summary>The access token of a request. Anything that does not look like one of ours is ignored.</summary>
    public PresentedToken FindAccess(HttpContext context)
    {
        if (Allowed(context) != TokenTransfer.Cookie && ReadBearer(context) is { } bearer && LooksLikeAccessToken(bearer))
        {
            return new PresentedToken(bearer, TokenTransfer.Header, Several: false);
        }

        return Allowed(context) != TokenTransfer.Header
            && SessionCookies.Find(context, cookies.AccessName, out var several) is { } cookie && (several || LooksLikeAccessToken(cookie))
            ? new PresentedToken(cookie, TokenTransfer.Cookie, several)
            : default;
    }

    /// <summary>Candidates for the access token, if its cookie came more than once.</summary>
    public IReadOnlyList<string> AccessCandidates(HttpContext context) => SessionCookies.Candidates(context, cookies.AccessName, LooksLikeAccessToken);

    /// <summary>Candidates for the refresh token, if its cookie came more than once.</summary>
    public IReadOnlyList<string> RefreshCandidates(HttpContext context) => SessionCookies.Candidates(context, cookies.RefreshName, RefreshTokens.LooksOurs);

    /// <summary>Clears the cookies that came more than once, except where ours is.</summary>
    public void ClearDuplicates(HttpContext context)
    {
        if (HasDuplicates(context, out var access, out var refresh))
        {
            if (access)
            {
                cookies.ClearTossedAccess(context);
            }

            if (refresh)
            {
                cookies.ClearTossedRefresh(context);
            }
        }
    }

    /// <summary>Whether the request has a bearer token, which no other page knows, and no session cookie.</summary>
    public bool HasBearerOnly(HttpContext context) => ReadBearer(context) is not null && !cookies.Any(context);

    /// <summary>The refresh token to use, and whether both cookie and header have one.</summary>
    public PresentedToken FindRefresh(HttpContext context, out bool otherToo)
    {
        var bearer = ReadBearer(context);
        var cookie = SessionCookies.Find(context, cookies.RefreshName, out var several);
        otherToo = bearer is not null && cookie is not null;
        return Allowed(context) != TokenTransfer.Cookie && bearer is not null ? new PresentedToken(bearer, TokenTransfer.Header, Several: false)
            : Allowed(context) != TokenTransfer.Header && (several || !string.IsNullOrEmpty(cookie)) ? new PresentedToken(cookie!, TokenTransfer.Cookie, several)
            : default;
    }

    /// <summary>All access tokens of the request, at most four; the header's first.</summary>
    public IEnumerable<string> FindEveryAccess(HttpContext context)
    {
        List<string> tokens = [];
        if (ReadBearer(context) is { } bearer)
        {
            tokens.Add(bearer);
        }

        _ = SessionCookies.Find(context, cookies.AccessName, out _, tokens);
        return tokens.Where(LooksLikeAccessToken).Distinct().Take(MaxTokens);
    }

    /// <summary>How many characters an access token may have to fit into its cookie or header.</summary>
    public int MaxAccessTokenLength(HttpContext context, TokenTransfer transfer) =>
        transfer == TokenTransfer.Cookie ? cookies.MaxAccessTokenLength(context) : MaxHeaderTokenLength;

    public bool HasAccessCookie(HttpContext context) => SessionCookies.Find(context, cookies.AccessName, out _) is not null;

    /// <summary>Whether a session cookie came more than once.</summary>
    public bool HasDuplicates(HttpContext context, out bool access, out bool refresh)
    {
        access = refresh = false;
        if (Allowed(context) == TokenTransfer.Header)
        {
            return false;
        }

        _ = SessionCookies.Find(context, cookies.AccessName, out access);
        _ = SessionCookies.Find(context, cookies.RefreshName, out refresh);
        return access || refresh;
    }

    /// <summary>
    /// Repeats the front token of the newest access token that came: the SDKs treat a refresh without a front token as an error. It only
    /// returns what the page sent, so the token need not be verified.
    /// </summary>
    public void RepeatFrontToken(HttpContext context)
    {
        List<string> tokens = [];
        _ = SessionCookies.Find(context, cookies.AccessName, out _, tokens);
        AccessTokenContent? youngest = null;
        var text = "";
        foreach (var token in tokens)
        {
            if (AccessTokenVerifier.TryReadUnverified(token, out var content) && (youngest is null || content.IssuedAt > youngest.IssuedAt))
            {
                (youngest, text) = (content, token);
            }
        }

        if (youngest is not null)
        {
            SetHeader(context, FrontTokenHeader, FrontToken.Create(youngest.UserId, youngest.ExpiresAt, text));
        }
    }

    public static string? AntiCsrf(HttpContext context) => context.Request.Headers[AntiCsrfHeader] is [{ } token] ? token : null;

    /// <summary>How a new session's tokens will travel.</summary>
    public TokenTransfer ForNewSession(HttpContext context) =>
        Allowed(context) is var allowed and not TokenTransfer.Any ? allowed
        : string.Equals(context.Request.Headers[ModeHeader], "cookie", StringComparison.OrdinalIgnoreCase) ? TokenTransfer.Cookie
        : TokenTransfer.Header;

    /// <returns>Whether the session's cookies end with the browser.</returns>
    public bool SetAccess(HttpContext context, TokenTransfer transfer, IssuedToken token, string userId)
    {
        SetHeader(context, FrontTokenHeader, FrontToken.Create(userId, token.ExpiresAt, token.Text, out var untilClosed));
        if (transfer == TokenTransfer.Cookie)
        {
            cookies.SetAccess(context, token.Text, clock.GetUtcNow(), untilClosed);
        }

        if (transfer == TokenTransfer.Header || options.ExposeAccessToken)
        {
            SetHeader(context, AccessHeader, token.Text);
        }

        // Responses with tokens must not be cached.
        context.Response.Headers.CacheControl = "no-store";
        return untilClosed;
    }

    public void SetAll(HttpContext context, TokenTransfer transfer, string userId, SessionTokens tokens)
    {
        var untilClosed = SetAccess(context, transfer, tokens.Access, userId);
        if (transfer == TokenTransfer.Cookie)
        {
            cookies.SetRefresh(context, tokens.Refresh.Text, untilClosed ? SessionCookies.UntilClosed : tokens.Refresh.ExpiresAt);
        }
        else
        {
            SetHeader(context, RefreshHeader, tokens.Refresh.Text);
        }

        if (tokens.AntiCsrf is not null)
        {
            SetHeader(context, AntiCsrfHeader, tokens.AntiCsrf);
        }
    }

    /// <summary>Tells the client to discard its tokens.</summary>
    public void Clear(HttpContext context, TokenTransfer transfer)
    {
        if (transfer == TokenTransfer.Cookie)
        {
            cookies.Clear(context);
        }
        else
        {
            SetHeader(context, AccessHeader, "");
            SetHeader(context, RefreshHeader, "");
        }

        context.Response.Headers.Remove(AntiCsrfHeader);
        SetHeader(context, FrontTokenHeader, "remove");
        context.Response.Headers.CacheControl = "no-store";
    }

    /// <summary>
    /// Tells the client to discard its tokens. Cookies are cleared only if the request had a token: a browser sends none with a request
    /// forged by another site, yet would obey the response. Headers reach only the script that sent the request.
    /// </summary>
    public void ClearEverywhere(HttpContext context)
    {
        if (cookies.Any(context) || ReadBearer(context) is not null)
        {
            Clear(context, TokenTransfer.Cookie);
            ClearDuplicates(context);
        }

        Clear(context, TokenTransfer.Header);
    }

    private TokenTransfer Allowed(HttpContext context) =>
        options.TokenTransferFor is not { } choose ? options.TokenTransfer
        : choose(context) is var chosen && Enum.IsDefined(chosen) ? chosen
        : throw new GridException(GridFailure.Refused, $"TokenTransferFor returned {chosen}: return Any, Cookie or Header.");

    private static string? ReadBearer(HttpContext context) =>
        context.Request.Headers.Authorization is [{ } value] && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? value[Bearer.Length..].Trim() : null;

    // Applications have bearer tokens of their own: only one of ours takes precedence over a cookie. The full check follows.
    private static bool LooksLikeAccessToken(string token) =>
        AccessTokenVerifier.LooksOurs(token);

    // Scripts on other origins can read only the headers that are named here.
    private static void SetHeader(HttpContext context, string name, string value)
    {
        var headers = context.Response.Headers;
        headers[name] = value;
        var exposed = headers.AccessControlExposeHeaders.ToString();
        if (!exposed.Split(", ").Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            headers.AccessControlExposeHeaders = exposed.Length == 0 ? name : $"{exposed}, {name}";
        }
    }
}

/// <summary>A token as presented.</summary>
/// <param name="Token">Not yet trusted; null if there is none.</param>
/// <param name="Transfer">How it came.</param>
/// <param name="Several">Whether its cookie came more than once.</param>
internal readonly record struct PresentedToken(string? Token, TokenTransfer Transfer, bool Several);
