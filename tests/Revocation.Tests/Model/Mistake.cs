namespace Grid.Revocation.Tests.Model;

/// <summary>Ways to get the protocol wrong. Each must be found by the model, or the model proves nothing.</summary>
public enum Mistake
{
    None,

    /// <summary>B1: the lease counts from the answer of a renewal.</summary>
    AnchorAtReply,

    /// <summary>B2: a check that was under way when a revocation came is not void.</summary>
    NoVoidOfPendingChecks,

    /// <summary>B3: "already gone" is acknowledged at once.</summary>
    RetryAcknowledgedAtOnce,

    /// <summary>B4: the registry is read before the commit.</summary>
    RegistryReadBeforeTheDelete,

    /// <summary>B5: the store is read before the registration.</summary>
    CheckBeforeRegister,

    /// <summary>B6: the log is read by "position > n".</summary>
    PositionGap,

    /// <summary>B7: freshness first, entries a moment later.</summary>
    ExtendBeforeApply,

    /// <summary>B8: a check is answered by a grain's memory.</summary>
    AnswerFromAStaleActivation,

    /// <summary>B9: the reaper believes a short silence.</summary>
    ReaperTooEarly,

    /// <summary>B10: a renewal that found no row to count up is taken for one all the same.</summary>
    RenewalAfterBeingReaped,

    /// <summary>B11: a holder that was reaped registers again and keeps what it knew.</summary>
    ReRegisterKeepingState,

    /// <summary>B12: the revoker waits exactly L.</summary>
    MarginTooSmall,

    /// <summary>A wait ends because a holder is missing in a registry that was read before it renewed: a row removed although its counter moved.</summary>
    RemovalWithoutComparing,

    /// <summary>A holder confirms first and applies a moment later.</summary>
    ConfirmBeforeApply,

    /// <summary>A used ticket is known by its session's row, or by an entry that names just that session.</summary>
    TicketGoodTwice,

    /// <summary>A ticket is good whatever became of its user's sessions since it was ordered.</summary>
    TicketOutlivesRevocation,

    /// <summary>A tenant or an app is struck from the list before its sessions are ended.</summary>
    StruckBeforeItsSessionsEnd,

    /// <summary>The removal of a tenant or an app is answered without confirmation.</summary>
    RemovalNotConfirmed,

    /// <summary>Who knows a holder's incarnation can strike its row.</summary>
    RowStruckByAStranger,

    /// <summary>The row is found by the session's id alone, and the entry says what the caller said: another tenant's.</summary>
    EntryMisses,

    /// <summary>A revocation waits for holders of other apps.</summary>
    WaitsForOtherApps,
}
