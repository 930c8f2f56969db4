namespace Grid.Hosting.Joining;

/// <summary>What stands between this silo and another.</summary>
internal enum PeerTroubleKind
{
    /// <summary>There is no connection to its address. A silo that has just ended has this, too.</summary>
    Unreachable,

    /// <summary>Its certificate is not accepted here.</summary>
    IsForeign,

    /// <summary>It does not accept this silo's certificate.</summary>
    RefusesThisOne,

    /// <summary>It has certificates, and this silo has none.</summary>
    SpeaksTls,

    /// <summary>It has no certificates, and this silo has.</summary>
    SpeaksNoTls,
}

/// <param name="Kind">Of what.</param>
/// <param name="Why">Details; may be empty.</param>
internal sealed record PeerTrouble(PeerTroubleKind Kind, string Why);
