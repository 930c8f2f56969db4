namespace Grid.Abstractions.Sessions;

/// <summary>Tells every silo that a session was written: what it remembers of the row is outdated (docs/decisions/0034).</summary>
public interface ISessionChanges
{
    /// <summary>To be awaited after the write and before its caller is answered, outside of grains.</summary>
    /// <returns>Completes when every silo knows that answers within a second. It never fails: the write has taken place.</returns>
    Task TellAsync(SessionKey session);
}
