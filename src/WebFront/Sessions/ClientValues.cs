using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Watches;
using Grid.Client;
using Grid.Revocation.Acknowledgement;
using Grid.Tokens.SigningKeys;

namespace Grid.WebFront.Sessions;

/// <summary>The silo's values as <see cref="IGridSessions"/> has them, for each way in that speaks it: the front in process, and the doors of Orleans clients.</summary>
internal static class ClientValues
{
    public static SessionInformation ToInformation(this SessionRecord row) => new()
    {
        Handle = row.Key.Handle.ToString(),
        UserId = row.UserId,
        RecipeUserId = row.RecipeUserId ?? row.UserId,
        TenantId = row.Key.Handle.TenantId,
        PayloadJson = row.PayloadJson,
        DataJson = row.DataJson,
        CreatedAt = row.CreatedAt,
        ExpiresAt = row.ExpiresAt,
    };

    public static string[] ToTexts(this ImmutableArray<SessionHandle> handles) => [.. handles.Select(handle => handle.ToString())];

    public static GridRevocation ToRevocation(this (ImmutableArray<SessionHandle> Sessions, RevocationReceipt Receipt) revoked) =>
        new(revoked.Sessions.ToTexts(), revoked.Receipt);

    /// <summary>For log and history only: what is not known was requested.</summary>
    public static RevocationReason ToReason(this GridRevocationReason reason) => reason switch
    {
        GridRevocationReason.SignedOut => RevocationReason.SignedOut,
        GridRevocationReason.Replaced => RevocationReason.Replaced,
        _ => RevocationReason.Requested,
    };

    public static SessionEvent ToEvent(this SessionNotice notice) => new()
    {
        Kind = notice.Kind switch
        {
            SessionNoticeKind.Started => SessionEventKind.Watching,
            SessionNoticeKind.Missed => SessionEventKind.MayHaveMissed,
            SessionNoticeKind.Created => SessionEventKind.Created,
            SessionNoticeKind.Refreshed => SessionEventKind.Refreshed,
            SessionNoticeKind.Changed => SessionEventKind.Changed,
            SessionNoticeKind.Revoked or SessionNoticeKind.Expired => SessionEventKind.Ended,
            _ => SessionEventKind.Unknown,
        },
        At = notice.At,
        UserId = notice.User.UserId,
        Handle = notice.Session?.ToString(),
        TenantId = notice.Session?.TenantId,
        ExpiresAt = notice.Kind is SessionNoticeKind.Created or SessionNoticeKind.Refreshed or SessionNoticeKind.Changed ? notice.ExpiresAt : null,
        PayloadChanged = notice.PayloadChanged,
        DataChanged = notice.DataChanged,
        EndReason = notice.Kind switch
        {
            SessionNoticeKind.Expired => SessionEndReason.Expired,
            SessionNoticeKind.Revoked => notice.Reason switch
            {
                RevocationReason.Requested => SessionEndReason.Requested,
                RevocationReason.SignedOut => SessionEndReason.SignedOut,
                RevocationReason.Replaced => SessionEndReason.Replaced,
                RevocationReason.RefreshTokenReuse => SessionEndReason.RefreshTokenReuse,
                RevocationReason.LifetimeOver => SessionEndReason.LifetimeOver,
                RevocationReason.TenantRemoved or RevocationReason.AppRemoved => SessionEndReason.Removed,
                RevocationReason.BackupRestored => SessionEndReason.BackupRestored,
                _ => SessionEndReason.Unknown,
            },
            _ => null,
        },
    };

    /// <summary>The keys with which tokens are checked, to be kept until the ring changes.</summary>
    public static PublishedKeys ToPublished(this KeyRing ring, DateTimeOffset now)
    {
        var left = ring.NextChangeAt - now;
        return new PublishedKeys(ring.JwksJson(now), left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }
}
