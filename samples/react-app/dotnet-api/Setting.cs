using Grid.AspNetCore;
using Grid.AspNetCore.Claims;

namespace Grid.Samples.ReactApi;

/// <summary>The same environment variables as the Express version.</summary>
internal static class Setting
{
    public static string Port => Of("PORT", "3001");

    public static string WebsiteDomain => Of("WEBSITE_DOMAIN", "http://localhost:3000");

    public static string Of(string name, string standard) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : standard;

    public static void Apply(GridOptions options)
    {
        options.ConnectionUri = new Uri(Of("GRID_URI", "http://127.0.0.1:3567"));
        options.ApiKey = Environment.GetEnvironmentVariable("GRID_API_KEY");
        options.ApiDomain = Of("API_DOMAIN", $"http://localhost:{Port}");
        options.WebsiteDomains.Add(WebsiteDomain);
        options.CookieDomain = Environment.GetEnvironmentVariable("COOKIE_DOMAIN");
        options.OlderCookieDomain = Environment.GetEnvironmentVariable("OLDER_COOKIE_DOMAIN");
        options.AntiCsrf = Environment.GetEnvironmentVariable("ANTI_CSRF") switch
        {
            "VIA_TOKEN" => AntiCsrfMode.ViaToken,
            "VIA_CUSTOM_HEADER" => AntiCsrfMode.ViaCustomHeader,
            "NONE" => AntiCsrfMode.None,
            _ => null,
        };
    }
}

internal sealed record User(string UserId);

internal static class Claims
{
    public static BooleanClaim EmailVerified { get; } = new("email-verified");
}
