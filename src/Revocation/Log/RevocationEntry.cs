using Grid.Revocation.Holders;

namespace Grid.Revocation.Log;

/// <summary>What an entry of the revocation log ends; stored as number.</summary>
public enum RevocationKind
{
    /// <summary>Written by a later version.</summary>
    Unknown = 0,

    /// <summary>One session.</summary>
    Session = 1,

    /// <summary>A user's sessions in one tenant that are older than an epoch.</summary>
    User = 2,

    /// <summary>All sessions that a tenant had.</summary>
    Tenant = 3,

    /// <summary>All sessions that an app had.</summary>
    App = 4,

    /// <summary>A signing key: every access token that it signed.</summary>
    SigningKey = 5,
}

/// <summary>One entry of the revocation log, however many sessions it ends.</summary>
public sealed record RevocationEntry
{
    /// <summary>Position in the log; 0: not written, only to be confirmed. Positions become visible out of order, so a gap says nothing.</summary>
    public required long Position { get; init; }

    /// <summary>What it ends.</summary>
    public required RevocationKind Kind { get; init; }

    /// <summary>Text form of the app.</summary>
    public required string App { get; init; }

    /// <summary>With <see cref="RevocationKind.Session"/>, <see cref="RevocationKind.User"/> and <see cref="RevocationKind.Tenant"/>.</summary>
    public string? Tenant { get; init; }

    /// <summary>With <see cref="RevocationKind.Session"/>.</summary>
    public SessionName? Session { get; init; }

    /// <summary>With <see cref="RevocationKind.User"/>.</summary>
    public string? UserId { get; init; }

    /// <summary>With <see cref="RevocationKind.User"/>: sessions of earlier epochs are revoked.</summary>
    public long Epoch { get; init; }

    /// <summary>With <see cref="RevocationKind.User"/>: a session of that tenant to keep.</summary>
    public SessionName? Kept { get; init; }

    /// <summary>With <see cref="RevocationKind.SigningKey"/>.</summary>
    public string? Kid { get; init; }

    /// <summary>Why, as the store's number; 0 where it is not known. For those who tell it: nothing is decided by it.</summary>
    internal int Reason { get; init; }

    /// <summary>When it was written; for those who tell it.</summary>
    internal DateTimeOffset At { get; init; }
}
