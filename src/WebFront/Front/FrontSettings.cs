using Grid.Abstractions.Apps;
using Grid.AspNetCore;

namespace Grid.WebFront.Front;

/// <summary>How the silo serves browsers: which app, and how strictly. What browsers see of it is in <see cref="Browser"/>.</summary>
public sealed class FrontSettings
{
    /// <summary>The app whose sessions it serves. Default <c>public</c>.</summary>
    public AppKey App { get; init; } = AppKey.Public;

    /// <summary>Whether <c>/</c> shows Grid at work. It creates sessions for whoever asks: for development only.</summary>
    public bool ShowsFirstPage { get; init; }

    /// <summary>Whether browsers that came by another way than <see cref="GridOptions.ApiDomain"/> says are given no cookies and tokens. Off where one develops.</summary>
    public bool RefusesOtherOrigins { get; init; }

    /// <summary>Cookies, headers, origins.</summary>
    public required Action<GridOptions> Browser { get; init; }
}
