using System.Net;
using Grid.Abstractions.Apps;
using Grid.AspNetCore;
using Grid.Silo.Settings;
using Grid.WebFront.Front;

namespace Grid.Silo.Hosting;

/// <summary>From operators' settings to the front.</summary>
internal static class FrontHosting
{
    /// <param name="front">As set.</param>
    /// <param name="address">That it listens on.</param>
    /// <param name="environment">Decides about the first page.</param>
    /// <param name="connections">That it takes at once; streams get half of them, so that they leave room for requests.</param>
    public static FrontDoor ToDoor(this FrontOptions front, IPAddress address, string environment, int? connections = null) => new()
    {
        App = new AppKey("", front.App),
        ShowsFirstPage = front.FirstPage ?? (environment == Environments.Development && IPAddress.IsLoopback(address)),
        Browser = options =>
        {
            Fill(options, front);
            options.MaxEventStreams = connections is { } all ? Math.Max(1, all / 2) : options.MaxEventStreams;
        },
    };

    /// <exception cref="SettingsException">A value is wrong: said before anything starts.</exception>
    public static void Check(FrontOptions front)
    {
        var options = new GridOptions();
        try
        {
            Fill(options, front);
        }
        catch (FormatException failure)
        {
            throw new SettingsException($"Grid:Front: {failure.Message}.");
        }

        if (GridOptionsCheck.Problem(options) is { } problem)
        {
            throw new SettingsException($"Grid:Front: {problem}");
        }
    }

    private static void Fill(GridOptions options, FrontOptions front)
    {
        options.ApiDomain = front.ApiDomain ?? $"http://localhost:{front.Port}";
        options.ApiBasePath = front.BasePath;
        options.PublicBasePath = front.PublicBasePath ?? "";
        Add(options.WebsiteDomains, front.WebsiteDomains);
        Add(options.ForwardClaims, front.ForwardClaims);
        options.TokenTransfer = Enum.TryParse<TokenTransfer>(front.TokenTransfer, ignoreCase: true, out var transfer)
            ? transfer
            : throw new FormatException($"TokenTransfer '{front.TokenTransfer}' is none of any, cookie, header");
        options.CookieDomain = front.CookieDomain;
        options.OlderCookieDomain = front.OlderCookieDomain;
        options.CookieSecure = front.CookieSecure;
        options.CookieSameSite = FrontDoor.ParseSameSite(front.CookieSameSite);
        options.HostCookies = front.HostCookies;
        options.AntiCsrf = FrontDoor.ParseAntiCsrf(front.AntiCsrf);
        options.SessionExpiredStatusCode = front.SessionExpiredStatusCode;
        options.InvalidClaimStatusCode = front.InvalidClaimStatusCode;
        options.UseDynamicSigningKey = front.UseDynamicSigningKey;
    }

    private static void Add(IList<string> list, string? text)
    {
        foreach (var item in (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            list.Add(item);
        }
    }
}
