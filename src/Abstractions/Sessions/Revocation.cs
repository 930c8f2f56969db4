using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Revocation.Log;

namespace Grid.Abstractions.Sessions;

/// <summary>What a revocation ends.</summary>
public abstract record RevocationScope
{
    public required AppKey App { get; init; }

    /// <summary>Named sessions of an app, of any tenants.</summary>
    public sealed record Named : RevocationScope
    {
        public required ImmutableArray<SessionHandle> Sessions { get; init; }
    }

    /// <summary>All sessions of a user, in one tenant or (null) in all; <see cref="Except"/> is kept.</summary>
    public sealed record User : RevocationScope
    {
        public required string? TenantId { get; init; }

        public required string UserId { get; init; }

        public SessionHandle? Except { get; init; }

        /// <summary>The scope of a user grain's key.</summary>
        public static User Of(UserKey user, bool allTenants, SessionHandle? except) => new()
        {
            App = user.Tenant.App,
            TenantId = allTenants ? null : user.Tenant.TenantId,
            UserId = user.UserId,
            Except = except,
        };
    }

    /// <summary>All sessions of a tenant.</summary>
    public sealed record Tenant : RevocationScope
    {
        public required string TenantId { get; init; }

        /// <summary>
        /// The tenant is about to be made: what an earlier one of the name left ends, and an import may fill it unless that one's end
        /// forbids it. Otherwise what has not come yet by an import ends as well.
        /// </summary>
        public bool IsBeingMade { get; init; }
    }

    /// <summary>All sessions of an app.</summary>
    public sealed record WholeApp : RevocationScope
    {
        /// <summary>As <see cref="Tenant.IsBeingMade"/>, of an app.</summary>
        public bool IsBeingMade { get; init; }
    }

    /// <summary>A signing key: every access token that it signed.</summary>
    public sealed record SigningKey : RevocationScope
    {
        public required string Kid { get; init; }
    }
}

/// <summary>Why sessions ended; stored as number.</summary>
public enum RevocationReason
{
    Unknown = 0,

    /// <summary>A back end or an operator asked for it.</summary>
    Requested = 1,

    /// <summary>A retired refresh token was presented.</summary>
    RefreshTokenReuse = 2,

    /// <summary>The tenant was removed.</summary>
    TenantRemoved = 3,

    /// <summary>The app was removed.</summary>
    AppRemoved = 4,

    /// <summary>The user signed out.</summary>
    SignedOut = 5,

    /// <summary>Another session took its place.</summary>
    Replaced = 6,

    /// <summary>The key may be in the wrong hands.</summary>
    KeyRevoked = 7,

    /// <summary>A refresh met a session that is older than it may become.</summary>
    LifetimeOver = 8,

    /// <summary>The store was restored from a backup, in which it may be alive although it was revoked since.</summary>
    BackupRestored = 9,
}

/// <summary>What a revocation ended in the store. To be confirmed before it is acknowledged (docs/revocation.md).</summary>
/// <param name="Sessions">Those that were active when it came; expired ones are not among them. Empty for a whole tenant or app, which are not enumerated.</param>
/// <param name="Entries">What is to be confirmed: what was written to the revocation log, now or, for a named session that is not there, before. From <see cref="ISessionRevoker.CommitAsync"/> also unwritten ones for named sessions that neither table knows (r5).</param>
public sealed record RevokedSessions(
    ImmutableArray<SessionHandle> Sessions,
    ImmutableArray<RevocationEntry> Entries);

/// <summary>The first of a revocation's two steps: one transaction in the store makes it true. Confirming it, so that every process that accepts tokens refuses it, is the second.</summary>
public interface ISessionRevoker
{
    /// <summary>Writes it to the store. Confirm it before you answer a caller.</summary>
    /// <exception cref="StoreUnavailableException">Not done, or unknown. Retrying is safe.</exception>
    ValueTask<RevokedSessions> CommitAsync(RevocationScope scope, RevocationReason reason, CancellationToken cancellationToken);
}
