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
}
