namespace Grid.Revocation.Holders;

/// <summary>An app's tenant of which sessions are known: its names as all of them hold it.</summary>
internal sealed class SessionScope(string app, string tenant)
{
    /// <summary>How many sessions are known, so that it goes with the last.</summary>
    public int Sessions { get; set; }

    /// <summary>The same name, with these strings.</summary>
    public SessionName Share(SessionName name) => name with { App = app, Tenant = tenant };
}
