using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Grid.AspNetCore.TicketStore;
using Grid.Client;
using Grid.Tokens.Access;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Http;

/// <summary>Sessions in endpoints.</summary>
public static class GridHttpContextExtensions
{
    /// <summary>The request's session; null if it brought none, or none that will do.</summary>
    public static GridSession? GetGridSession(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<RequestCheck>() is { Outcome: RequestOutcome.Session, Session: { } session } ? session : null;
    }

    /// <summary>
    /// Handle of the session in which a cookie scheme with <c>AddGridTicketStore()</c> keeps the request's ticket; null if the request was not
    /// authenticated by one. After a sign-in it is the new session's.
    /// </summary>
    /// <remarks>Where several schemes have a store, <c>(await AuthenticateAsync(scheme)).Properties.GetGridSessionHandle()</c> says it of one.</remarks>
    public static string? GetGridSessionHandle(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return CookieSession.FindHandle(context);
    }

    /// <summary>Creates a session and puts its tokens into the answer; one that the request already had ends (session fixation).</summary>
    /// <param name="context">Of the request that proved who the user is.</param>
    /// <param name="userId">Whose; at most 128 characters, kept to the letter.</param>
    /// <param name="payload">Claims for the access token; browsers can read them.</param>
    /// <param name="data">Data for back ends only.</param>
    /// <param name="tenantId">In which tenant.</param>
    /// <exception cref="ArgumentException">A member of <paramref name="payload"/> belongs to the session service, such as <c>sub</c>.</exception>
    /// <exception cref="GridException">Grid does not answer or refuses, or <see cref="GridFailure.TokenTooLong"/>: nothing was created.</exception>
    public static async Task<GridSession> SignInGridAsync(
        this HttpContext context, string userId, JsonObject? payload = null, JsonObject? data = null, string tenantId = GridDefaults.TenantId)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(userId);
        var requests = context.RequestServices.GetRequiredService<SessionRequests>();
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
            throw new ArgumentException($"The claim '{name}' belongs to the session service.", nameof(payload));
        }

        var session = await requests.SignInAsync(
            context, new SessionDraft { UserId = userId, TenantId = tenantId, PayloadJson = claims.ToJsonString(), DataJson = data?.ToJsonString() ?? "{}" });
        context.Features.Set(new RequestCheck(RequestOutcome.Session, session));
        return session;
    }

    /// <summary>Ends the request's session, if it has one, and tells the browser to forget its tokens. An access token that has expired will do.</summary>
    /// <exception cref="GridException">Grid does not answer, or <see cref="GridFailure.StillWaiting"/>: repeat the call; the tokens are kept.</exception>
    public static async Task SignOutGridAsync(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var requests = context.RequestServices.GetRequiredService<SessionRequests>();
        var check = context.Features.Get<RequestCheck>() ?? await requests.CheckAsync(context, GridEndpoint.AnyClaims, context.Request.Method);
        if ((check.Session?.Handle ?? check.ExpiredHandle) is { } handle)
        {
            await requests.Sessions.RevokeAsync(handle, GridRevocationReason.SignedOut, CancellationToken.None);
        }
        else if (requests.IsFromForeignPage(context))
        {
            return;
        }

        requests.Transport.ClearEverywhere(context);
    }
}
