using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Grid.Adversary.Tests;

/// <summary>Calls of the core API as an adversary or his victim makes them.</summary>
internal static class CoreCalls
{
    /// <summary>Posts JSON; the answer's status code, and its body if that is JSON.</summary>
    public static async Task<(HttpStatusCode Code, JsonNode? Body)> CallAsync(this HttpClient http, string path, string json, string? apiKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("cdi-version", "5.6");
        if (apiKey is not null)
        {
            request.Headers.TryAddWithoutValidation("api-key", apiKey);
        }

        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text) : null);
    }

    /// <summary>A new session: its handle, access token and refresh token.</summary>
    public static async Task<(string Handle, string Access, string Refresh)> CreateAsync(this HttpClient http, string user, string prefix = "", string? apiKey = null)
    {
        var (code, body) = await http.CallAsync(
            $"{prefix}/recipe/session", $$"""{"userId":"{{user}}","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{},"useDynamicSigningKey":true}""", apiKey);
        return code == HttpStatusCode.OK
            ? ($"{body!["session"]!["handle"]}", $"{body["accessToken"]!["token"]}", $"{body["refreshToken"]!["token"]}")
            : throw new InvalidOperationException($"create answered {code}: {body}");
    }

    /// <summary>The status word of a check without the database.</summary>
    public static async Task<string> VerifyAsync(this HttpClient http, string access, string prefix = "", string? apiKey = null)
    {
        var (code, body) = await http.CallAsync(
            $"{prefix}/recipe/session/verify", $$"""{"accessToken":"{{access}}","enableAntiCsrf":false,"doAntiCsrfCheck":false,"checkDatabase":false}""", apiKey);
        return code == HttpStatusCode.OK ? $"{body!["status"]}" : $"{(int)code}";
    }
}
