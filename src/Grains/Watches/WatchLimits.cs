namespace Grid.Grains.Watches;

/// <summary>How much room watches have in one silo. A watch costs some kilobytes; an unread one no more than <see cref="Unread"/> notices of 200 bytes.</summary>
internal sealed record WatchLimits
{
    /// <summary>Watches in one silo.</summary>
    public int Watches { get; init; } = 5_000;

    /// <summary>Watches of users of one app.</summary>
    public int OfApp { get; init; } = 1_000;

    /// <summary>Watches of one client.</summary>
    public int OfClient { get; init; } = 200;

    /// <summary>Sessions of one user whose ends are told.</summary>
    public int SessionsOfUser { get; init; } = 1_000;

    /// <summary>Sessions of all watched users whose ends are told.</summary>
    public int Sessions { get; init; } = 100_000;

    /// <summary>Notices that a watch may have waiting for its reader.</summary>
    public int Unread { get; init; } = 256;

    /// <summary>Notices that another silo may have waiting for this one.</summary>
    public int Unfetched { get; init; } = 16_384;

    /// <summary>How long another silo may leave a call unanswered before its link counts as broken. It answers a fetch within a second.</summary>
    public TimeSpan LinkSilence { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the start of a watch waits for another silo that does not answer: what that does meanwhile is told as missed.</summary>
    public TimeSpan StartsWithin { get; init; } = TimeSpan.FromSeconds(2);
}
