using System.Text;

namespace Grid.Bench.Http.Scenarios;

/// <summary>Core API requests as <c>supertokens-node</c> 24 sends them, headers included.</summary>
internal static class CoreRequests
{
    /// <summary>Configured on the measured server, so that checking it is part of every figure.</summary>
    public const string ApiKey = "benchmark-key-0123456789";

    public static byte[] Post(string path, string body) => Encoding.UTF8.GetBytes(
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\ncdi-version: 5.4\r\ncontent-type: application/json; charset=utf-8\r\napi-key: {ApiKey}\r\nrid: session\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public static byte[] Get(string pathAndQuery) => Encoding.UTF8.GetBytes(
        $"GET {pathAndQuery} HTTP/1.1\r\nHost: localhost\r\ncdi-version: 5.4\r\napi-key: {ApiKey}\r\nrid: session\r\n\r\n");

    public static byte[] Create(string userId) => Post(
        "/recipe/session",
        $$$"""{"userId":"{{{userId}}}","userDataInJWT":{"plan":"pro","st-role":{"v":["user"],"t":1790000000000}},"userDataInDatabase":{"cart":[]},"useDynamicSigningKey":true,"enableAntiCsrf":false}""");

    public static byte[] Verify(string accessToken, bool checkDatabase) => Post(
        "/recipe/session/verify",
        $$"""{"accessToken":"{{accessToken}}","enableAntiCsrf":false,"doAntiCsrfCheck":false,"checkDatabase":{{(checkDatabase ? "true" : "false")}}}""");

    public static byte[] Refresh(string refreshToken) => Post(
        "/recipe/session/refresh",
        $$"""{"refreshToken":"{{refreshToken}}","enableAntiCsrf":false,"useDynamicSigningKey":true}""");

    public static byte[] List(string userId) => Get($"/recipe/session/user?userId={userId}&fetchAcrossAllTenants=true&fetchSessionsForAllLinkedAccounts=true");

    public static byte[] RevokeAll(string userId) => Post(
        "/recipe/session/remove",
        $$"""{"userId":"{{userId}}","revokeAcrossAllTenants":true,"revokeSessionsForLinkedAccounts":true}""");
}
