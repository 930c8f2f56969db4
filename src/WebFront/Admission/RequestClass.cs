namespace Grid.WebFront.Admission;

/// <summary>What a request does, as far as it matters when there are too many: the later ones come first, but for the last two, which are a matter of their own.</summary>
internal enum RequestClass
{
    /// <summary>Costs nothing, or has limits of its own: probes, constants, keys, connections that stay open.</summary>
    None = 0,

    /// <summary>Reads for people and back ends: lists, details, apps and tenants.</summary>
    List,

    /// <summary>Checks an access token for somebody who does not check by itself: the core API's verify, forward-auth.</summary>
    Verify,

    /// <summary>Makes something: sessions, tickets, JWTs, apps, tenants.</summary>
    Create,

    /// <summary>Goes on with a session: refreshes, and changes of what it holds.</summary>
    Refresh,

    /// <summary>Ends sessions, whatever they are named by.</summary>
    Revoke,

    /// <summary>Waits for the core behind Grid, apart from all others: however slow that is, it takes no other request's place.</summary>
    Forward,

    /// <summary>A sign-in that waits for the core behind Grid to say whose the account is, apart from all others: for that it leaves its own class's place.</summary>
    Ask,
}
