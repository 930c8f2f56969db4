using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Grid.AspNetCore.Live;
using Grid.AspNetCore.TicketStore;
using Grid.Client;
using Grid.Tokens.Access;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Http;

/// <summary>The session of a request: get, create, end.</summary>
public static class GridHttpContextExtensions
{
    /// <summary>The request's session; null if it has none, or none that is valid.</summary>
    /// <remarks>
    /// In a SignalR hub (<c>Context.GetHttpContext()</c>) it is the session that the connection began with, over every transport, and its
    /// access token is the one of that time.
    /// </remarks>
    /// <param name="context">The request.</param>
    /// <param name="scheme">Where there are several: the scheme whose session is meant. Default: those that the endpoint's policy names; if it names
    /// none, the one that authenticated the request.</param>
    /// <exception cref="InvalidOperationException">There is no such scheme of Grid.</exception>
    public static GridSession? GetGridSession(this HttpContext context, string? scheme = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        var check = scheme is null ? KeptRequest.Check(context) : KeptRequest.Check(context, context.RequestServices.GetRequiredService<GridSchemes>().Find(scheme));
        return check is { Outcome: RequestOutcome.Session, Session: { } session } ? session : null;
    }

    /// <summary>
    /// The handle of the session in which a cookie scheme with <c>AddGridTicketStore()</c> keeps the request's ticket; null if the request
    /// was not authenticated by such a scheme. After a sign-in, that of the new session.
    /// </summary>
    /// <remarks>If several schemes have a store, use <c>(await AuthenticateAsync(scheme)).Properties.GetGridSessionHandle()</c>.</remarks>
    public static string? GetGridSessionHandle(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return CookieSession.FindHandle(context);
    }

    /// <summary>
    /// Creates a session and adds its tokens to the response. A session that the request already had is revoked, against session fixation.
    /// </summary>
    /// <param name="context">The request that proved who the user is.</param>
    /// <param name="userId">The user: at most 128 characters, stored exactly as given.</param>
    /// <param name="payload">Claims for the access token; browsers can read them.</param>
    /// <param name="data">Data that only back ends see.</param>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="scheme">Where there are several: the scheme whose app the session is for. Default: the one that the endpoint's policy names, also
    /// with <c>AllowAnonymous()</c>; else the default scheme.</param>
    /// <returns>The new session.</returns>
    /// <exception cref="ArgumentException"><paramref name="payload"/> has a claim that is reserved for Grid, such as
    /// <c>sub</c>.</exception>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.TokenTooLong"/>: nothing was
    /// created.</exception>
    public static async Task<GridSession> SignInGridAsync(
        this HttpContext context, string userId, JsonObject? payload = null, JsonObject? data = null, string tenantId = GridDefaults.TenantId, string? scheme = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(userId);
        SignInName.Require(userId, nameof(userId));
        var requests = await GridSchemes.ForAsync(context, scheme);
        var claims = payload is null ? [] : payload.DeepClone().AsObject();
        claims["iss"] = requests.Issuer(context);
        foreach (var claim in requests.Options.Claims)
        {
            var whose = new ClaimFetch(userId, tenantId, JsonElement.Parse(claims.ToJsonString()), context.RequestServices);
            if (await claim.FetchAsync(whose, context.RequestAborted) is { } value)
            {
                claims[claim.Key] = SessionClaim.Entry(value, requests.Now);
            }
        }

        if (ProtectedClaims.FindIn(Encoding.UTF8.GetBytes(claims.ToJsonString()), AccessTokenVersion.V5) is { } name)
        {
            throw new ArgumentException($"The claim '{name}' is reserved for Grid.", nameof(payload));
        }

        var session = await requests.SignInAsync(
            context, new SessionDraft { UserId = userId, TenantId = tenantId, PayloadJson = claims.ToJsonString(), DataJson = data?.ToJsonString() ?? "{}" });
        requests.Keep(context, new RequestCheck(RequestOutcome.Session, session));
        return session;
    }

    /// <summary>
    /// Revokes the request's session, if it has one, and tells the browser to discard its tokens. An expired access token is enough.
    /// </summary>
    /// <exception cref="GridException">Grid is unavailable, or <see cref="GridFailure.StillWaiting"/>: the browser keeps its tokens; repeat
    /// the call.</exception>
    /// <param name="context">The request.</param>
    /// <param name="scheme">Where there are several: the scheme whose session is meant. Default: as for <see cref="GetGridSession"/>.</param>
    public static async Task SignOutGridAsync(this HttpContext context, string? scheme = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        var requests = (scheme is null ? context.Features.Get<SchemeChecks>()?.CurrentBy : null) ?? await GridSchemes.ForAsync(context, scheme);
        var check = requests.Kept(context) ?? await requests.CheckAsync(context, GridEndpoint.AnyClaims, context.Request.Method);
        if ((check.Session?.Handle ?? check.ExpiredHandle) is { } handle)
        {
            await LiveRequest.EndOwnAsync(context, () => requests.Sessions.RevokeAsync(handle, GridRevocationReason.SignedOut, CancellationToken.None));
        }
        else if (requests.IsFromForeignPage(context))
        {
            return;
        }

        requests.Transport.ClearEverywhere(context);
    }
}
