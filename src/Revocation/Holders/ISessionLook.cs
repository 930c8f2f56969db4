namespace Grid.Revocation.Holders;

/// <summary>Port to the store: is there such a session?</summary>
internal interface ISessionLook
{
    /// <summary>Reads the <em>store</em>, never a cache (h4).</summary>
    /// <returns>Null if there is no such session, or it has expired.</returns>
    /// <exception cref="Exception">The store did not answer.</exception>
    ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken);
}
