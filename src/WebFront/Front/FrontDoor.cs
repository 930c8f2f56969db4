using Grid.Abstractions.Apps;
using Grid.AspNetCore;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Front;

/// <summary>The silo's door for browsers. What browsers see of it is in <see cref="Browser"/>.</summary>
public sealed class FrontDoor
{
    /// <summary>The app whose sessions it serves. Default <c>public</c>.</summary>
    public AppKey App { get; init; } = AppKey.Public;

    /// <summary>Whether <c>/</c> shows Grid at work. It creates sessions for whoever asks: for development only.</summary>
    public bool ShowsFirstPage { get; init; }

    /// <summary>Cookies, headers, origins.</summary>
    public required Action<GridOptions> Browser { get; init; }

    /// <summary>Reads a mode's name as operators write it.</summary>
    public static AntiCsrfMode? ParseAntiCsrf(string? name) => name?.ToUpperInvariant() switch
    {
        null or "" => null,
        "NONE" => AntiCsrfMode.None,
        "VIA_TOKEN" => AntiCsrfMode.ViaToken,
        "VIA_CUSTOM_HEADER" => AntiCsrfMode.ViaCustomHeader,
        _ => throw new FormatException($"'{name}' is none of NONE, VIA_TOKEN, VIA_CUSTOM_HEADER"),
    };

    /// <summary>Reads a SameSite mode.</summary>
    public static SameSiteMode? ParseSameSite(string? name) => name?.ToUpperInvariant() switch
    {
        null or "" => null,
        "LAX" => SameSiteMode.Lax,
        "STRICT" => SameSiteMode.Strict,
        "NONE" => SameSiteMode.None,
        _ => throw new FormatException($"'{name}' is none of lax, strict, none"),
    };
}
