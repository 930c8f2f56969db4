using System.Text;
using System.Text.Json.Nodes;

namespace Grid.HostKit;

/// <summary>A browser as far as a server sees one: keeps cookies, or tokens from headers, and sends them again.</summary>
internal sealed class TestBrowser(Uri url, string mode = "cookie", bool followsRedirects = true) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = followsRedirects }) { BaseAddress = url };

    public Dictionary<string, string> Cookies { get; } = [];

    public string? AccessToken { get; set; }

    public string? RefreshToken { get; set; }

    public string? AntiCsrf { get; set; }

    public async Task<FrontAnswer> SendAsync(string method, string path, object? body = null, string? bearer = null, string? cookie = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Add("st-auth-mode", mode);
        cookie ??= string.Join("; ", Cookies.Where(c => c.Value.Length > 0).Select(c => $"{c.Key}={c.Value}"));
        if (cookie.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookie);
        }

        if ((bearer ?? (mode == "header" ? AccessToken : null)) is { } token)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body as string ?? System.Text.Json.JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        }

        using var response = await _http.SendAsync(request);
        var answer = new FrontAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);
        Keep(answer);
        return answer;
    }

    public Task<FrontAnswer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync("GET", path, headers: headers);

    public Task<FrontAnswer> PostAsync(string path, object? body = null, params (string Name, string Value)[] headers) => SendAsync("POST", path, body, headers: headers);

    public Task<FrontAnswer> RefreshAsync(params (string Name, string Value)[] headers) =>
        SendAsync("POST", "/auth/session/refresh", bearer: mode == "header" ? RefreshToken : null, headers: headers);

    public void Dispose() => _http.Dispose();

    private void Keep(FrontAnswer answer)
    {
        foreach (var line in answer.SetCookie)
        {
            var pair = line.Split(';')[0].Split('=', 2);
            Cookies[pair[0]] = pair[1];
        }

        AccessToken = answer.Header("st-access-token") ?? AccessToken;
        RefreshToken = answer.Header("st-refresh-token") ?? RefreshToken;
        AntiCsrf = answer.Header("anti-csrf") ?? AntiCsrf;
    }
}

/// <summary>Signs a browser in at the silo's front, as somebody whom no other test knows.</summary>
internal static class FrontSignIn
{
    public static async Task<FrontAnswer> SignInAsync(this CoreHost core, TestBrowser browser)
    {
        var ordered = await core.PostAsync("/session/ticket", new { userId = $"user-{Guid.NewGuid():N}" });
        var answer = await browser.PostAsync("/auth/session/ticket", new { ticket = ordered.Json["ticket"]!.GetValue<string>() }, ("rid", "session"));
        Assert.Equal(200, answer.Status);
        return answer;
    }
}

/// <summary>An answer, whole.</summary>
internal sealed record FrontAnswer(int Status, string Text, HttpResponseMessage Response)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    public string[] SetCookie => Response.Headers.TryGetValues("Set-Cookie", out var lines) ? [.. lines] : [];

    public string? Header(string name) =>
        Response.Headers.TryGetValues(name, out var values) || Response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : null;

    /// <summary>The front token, decoded.</summary>
    public JsonObject Front => JsonNode.Parse(Convert.FromBase64String(Header("front-token")!))!.AsObject();

    /// <summary>A cookie's line without the value and with the date taken for what it says about now.</summary>
    public string Cookie(string name, DateTimeOffset now)
    {
        var line = Assert.Single(SetCookie, l => l.StartsWith(name + "=", StringComparison.Ordinal));
        var value = line[(name.Length + 1)..line.IndexOf(';', StringComparison.Ordinal)];
        line = (value.Length == 0 ? "cleared" : "set") + line[line.IndexOf(';', StringComparison.Ordinal)..];
        var start = line.IndexOf("Expires=", StringComparison.Ordinal) + 8;
        var end = line.IndexOf(" GMT", start, StringComparison.Ordinal) + 4;
        var expires = DateTimeOffset.ParseExact(line[start..end], "R", System.Globalization.CultureInfo.InvariantCulture);
        var days = expires == DateTimeOffset.UnixEpoch ? "1970" : $"{Math.Round((expires - now).TotalDays)} days";
        return line[..start] + days + line[end..];
    }
}
