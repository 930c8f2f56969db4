using System.Collections.Immutable;
using Grid.Abstractions.Apps;

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

    /// <summary>All sessions of a user, in one tenant or (null) in all; <see cref="Except"/> lives on.</summary>
    public sealed record User : RevocationScope
    {
        public required string? TenantId { get; init; }

        public required string UserId { get; init; }

        public SessionHandle? Except { get; init; }
    }

    /// <summary>All sessions of a tenant.</summary>
    public sealed record Tenant : RevocationScope
    {
        public required string TenantId { get; init; }
    }

    /// <summary>All sessions of an app.</summary>
    public sealed record WholeApp : RevocationScope;
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
}

/// <summary>What a revocation ended.</summary>
/// <param name="Sessions">Those that lived when it came; expired ones are not among them. Empty for a whole tenant or app, which are not counted out.</param>
/// <param name="Position">Position of the (last) entry in the revocation log.</param>
public sealed record RevokedSessions(
    ImmutableArray<SessionHandle> Sessions,
    long Position);

/// <summary>Ends sessions: one transaction in the store makes it true, then every silo's session grains hear of it.</summary>
public interface ISessionRevoker
{
    /// <exception cref="StoreUnavailableException">Not done, or unknown. Retrying is safe.</exception>
    Task<RevokedSessions> RevokeAsync(RevocationScope scope, RevocationReason reason, CancellationToken cancellationToken);
}
