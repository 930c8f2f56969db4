namespace Grid.Revocation.Tests.Simulation;

/// <summary>Ways to wire the real classes wrongly. Each must be found, or the simulator proves nothing.</summary>
public enum Mistake
{
    None,

    /// <summary>The store reads the log by "position > n".</summary>
    PositionGap,

    /// <summary>The store counts a renewal that found no row.</summary>
    RenewalOfALostRow,

    /// <summary>A silo confirms a push and applies it a moment later.</summary>
    ConfirmBeforeApply,

    /// <summary>The revoker gets the registry as it was before the commit.</summary>
    RegistryReadBeforeTheCommit,

    /// <summary>The revoker takes leases for shorter than they are, so that it waits exactly L.</summary>
    MarginTooSmall,

    /// <summary>The reaper takes leases for a tenth of what they are.</summary>
    ReaperTooEarly,

    /// <summary>A first sight is answered by what the store said a second ago.</summary>
    LookFromMemory,

    /// <summary>The answer to a renewal was read before the renewal was sent.</summary>
    RenewalFromMemory,

    /// <summary>What was revoked before is acknowledged at once.</summary>
    RepetitionAcknowledgedAtOnce,

    /// <summary>A silo that registers anew does not tell its relay: those who renew through it go on.</summary>
    RelayNotTold,

    /// <summary>A relayed holder is handed entries after the renewal that read them is answered.</summary>
    RelayedOutOfOrder,

    /// <summary>A used ticket is known by its session's row, or by an entry that names just that session.</summary>
    TicketGoodTwice,

    /// <summary>A ticket is good whatever became of its user's sessions since it was ordered.</summary>
    TicketOutlivesRevocation,

    /// <summary>A create whose answer was lost is sent once more under the same handle: what it made may have been ended meanwhile, with its user.</summary>
    CreateSentTwice,

    /// <summary>A revocation looks for the session before it takes the ticket away: one that is redeemed in between lives on.</summary>
    SessionDeletedBeforeItsTicket,

    /// <summary>The store loses what was acknowledged after somebody had copied its file.</summary>
    StoreForgets,

    /// <summary>After a fail-over some reads are still answered by the server that was in charge before.</summary>
    FormerServerIsAsked,

    /// <summary>Silos of another cluster may work on this store, and each cluster knows its own holders only.</summary>
    ClustersShareAStore,

    /// <summary>An app that names its neighbour's session is taken to mean it: holders know sessions by their ids alone.</summary>
    EntryForANeighboursSession,

    /// <summary>An app that names its neighbour's session is taken to mean it: the store knows sessions by their ids alone.</summary>
    SessionDeletedByIdAlone,

    /// <summary>A process whose clock is wrong purges what has not expired.</summary>
    PurgeByAWrongClock,

    /// <summary>A session is purged as soon as one clock says that it has expired: another still accepts it, and who revokes it finds nothing to log.</summary>
    ExpiredPurgedAtOnce,

    /// <summary>An entry is as old as the clock of who wrote it says.</summary>
    LogAgedByItsWriter,

    /// <summary>A holder goes on from a cursor that is older than the log.</summary>
    CursorOlderThanTheLog,

    /// <summary>A tenant or an app is struck from the list before its sessions are ended.</summary>
    StruckBeforeItsSessionsEnd,

    /// <summary>The removal of a tenant or an app is answered without confirmation.</summary>
    RemovalNotConfirmed,

    /// <summary>A session that was in the making while its tenant or app was removed is taken for one, then and under the namesake.</summary>
    CreateOutlivesRemoval,

    /// <summary>A removal that was held up strikes the namesake that was made meanwhile.</summary>
    LateRemovalHitsTheNamesake,

    /// <summary>A revocation waits for holders of other apps.</summary>
    WaitsForOtherApps,

    /// <summary>Whoever knows a holder's incarnation can have its row struck.</summary>
    RowStruckByAStranger,

    /// <summary>A registration of an incarnation that there is takes its row over.</summary>
    IncarnationTakenOver,

    /// <summary>A renewal counts up whatever row has the incarnation: also a stranger's, who took it when the reaper had struck the holder's.</summary>
    StrangersRowRenewed,

    /// <summary>A silo takes a service that does not confirm for one whose connection broke, and never counts what it lets pass.</summary>
    SilenceTakenForABreak,

    /// <summary>A service over Orleans whose fetch is not answered fetches on: what was in the lost answer is gone, and nobody misses it.</summary>
    FetchesOnAfterALostAnswer,

    /// <summary>A service that finds no silo once never looks for one again.</summary>
    ServiceNeverReconnects,

    /// <summary>Silos are told that a row was written before it is: what they read then is what it was before.</summary>
    ToldBeforeTheWrite,

    /// <summary>What is remembered of a row is good for ever unless one is told of a write: nobody hears of all.</summary>
    RowNeverReadAgain,

    /// <summary>What a database check finds changed is taken from memory, too.</summary>
    ChangeTakenFromMemory,
}
