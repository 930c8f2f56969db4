using System.Text.Json;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Client;
using Grid.Tokens.Refresh;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core.Sessions;

/// <summary>Wire formats that several session operations share.</summary>
internal static class SessionWire
{
    /// <summary>Refuses a scope that would have to be narrowed.</summary>
    public const string OnlyPublicTenant = "Only public tenantId can call this app specific API";

    /// <summary>The user id exactly as sent: normalizing it could merge two users. An empty id is valid.</summary>
    public static string UserId(CoreBody body) => body.String("userId") is { Length: <= PayloadRules.MaxUserIdLength } userId ? userId : throw CoreException.BadField("userId");

    public static string UserId(HttpContext context) =>
        CoreQuery.Required(context, "userId") is { Length: <= PayloadRules.MaxUserIdLength } userId ? userId : throw CoreException.BadQuery("userId");

    public static UserKey User(CoreRequest request, string userId) => new(new TenantKey(request.App.App, request.TenantId), userId);

    /// <summary>Reads a handle and checks that its tenant exists.</summary>
    /// <returns>Null if the text is not a session handle.</returns>
    public static async ValueTask<SessionHandle?> ReadHandleAsync(HttpContext context, string text)
    {
        if (!SessionHandle.TryParse(text, out var handle) || !CorePath.CouldExist(handle.TenantId))
        {
            return null;
        }

        var request = CoreRequest.Of(context);
        return request.App.TenantIds.Contains(handle.TenantId) || await context.RequestServices.GetService<ITenantsBehind>().HasTenantOfAsync(request.App, handle)
            ? handle
            : throw CoreException.TenantNotFound(request.Domain, request.Path.AppId, handle.TenantId);
    }

    /// <summary>The access token validity that the client asks for, in milliseconds, from 5.6 on. Tokens have whole seconds, rounded down.</summary>
    public static TimeSpan? AccessTokenValidity(CoreBody body, CoreRequest request)
    {
        if (request.Version < CdiVersion.V56 || body.LongOrNull("accessTokenValidity") is not { } milliseconds)
        {
            return null;
        }

        return milliseconds >= 1 && milliseconds <= request.App.Settings.AccessTokenValidity.TotalMilliseconds
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw new CoreException(
                400, "Field name 'accessTokenValidity' must be between 1 and the access token validity of the app, in milliseconds");
    }

    public static void WriteSession(
        Utf8JsonWriter json, CdiVersion version, string handle, string userId, string recipeUserId, string? tenantId, string? payloadJson)
    {
        json.WriteStartObject("session"u8);
        json.WriteString("handle"u8, handle);
        json.WriteString("userId"u8, userId);
        if (version >= CdiVersion.V4)
        {
            json.WriteString("recipeUserId"u8, recipeUserId);
        }

        if (payloadJson is not null)
        {
            json.WritePropertyName("userDataInJWT"u8);
            json.WriteRawValue(payloadJson, skipInputValidation: true);
        }

        if (tenantId is not null && version >= CdiVersion.V3)
        {
            json.WriteString("tenantId"u8, tenantId);
        }

        json.WriteEndObject();
    }

    public static void WriteToken(Utf8JsonWriter json, string name, IssuedToken token)
    {
        json.WriteStartObject(name);
        json.WriteString("token"u8, token.Text);
        json.WriteNumber("expiry"u8, token.ExpiresAt.ToUnixTimeMilliseconds());
        json.WriteNumber("createdTime"u8, token.CreatedAt.ToUnixTimeMilliseconds());
        json.WriteEndObject();
    }

    public static void WriteTokens(Utf8JsonWriter json, SessionTokens tokens)
    {
        WriteToken(json, "accessToken", tokens.Access);
        WriteToken(json, "refreshToken", tokens.Refresh);
        CoreResponse.WriteIfAny(json, "antiCsrfToken", tokens.AntiCsrf);
    }

    public static string? WireName(ReuseKind reuse) => reuse switch
    {
        ReuseKind.None => null,
        ReuseKind.RecentPrevious => "RECENT_PREV",
        ReuseKind.OrphanedBranch => "ORPHANED_BRANCH",
        ReuseKind.StaleLineage => "STALE_LINEAGE",
        _ => throw new ArgumentOutOfRangeException(nameof(reuse)),
    };

    public static void WriteHandles(Utf8JsonWriter json, string name, IEnumerable<SessionHandle> handles)
    {
        json.WriteStartArray(name);
        foreach (var handle in handles)
        {
            json.WriteStringValue(handle.ToString());
        }

        json.WriteEndArray();
    }
}
