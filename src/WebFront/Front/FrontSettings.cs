using Grid.Abstractions.Apps;
using Grid.AspNetCore;

namespace Grid.WebFront.Front;

/// <summary>How the silo serves browsers: which app, and how strictly. What browsers see of it is in <see cref="Browser"/>.</summary>
public sealed class FrontSettings
{
    /// <summary>The app whose sessions it serves. Default <c>public</c>.</summary>
    public AppKey App { get; init; } = AppKey.Public;

    /// <summary>Whether <c>/</c> shows Grid at work. It creates sessions for anyone who asks: for development only.</summary>
    public bool ShowsFirstPage { get; init; }

    /// <summary>Whether to refuse browsers that do not come by way of <see cref="GridOptions.ApiDomain"/>. Off in development.</summary>
    public bool RefusesOtherOrigins { get; init; }

    /// <summary>Configures cookies, headers and origins.</summary>
    public required Action<GridOptions> Browser { get; init; }
}
