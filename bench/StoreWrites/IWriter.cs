using Grid.Abstractions.Sessions;

namespace Grid.StoreWrites;

/// <summary>One way to write sessions. A write that was not stored is an error, never a fast success.</summary>
internal interface IWriter : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Stores a session that was not there.</summary>
    Task CreateAsync(SessionRecord session);

    /// <summary>Replaces a stored session; <c>Version</c> is one more than stored.</summary>
    Task RefreshAsync(SessionRecord session);
}
