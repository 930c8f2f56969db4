namespace Grid.AspNetCore;

/// <summary>
/// What an application may do when a request is refused: note it, or write an answer of its own (<see cref="GridEventContext.HandleResponse"/>).
/// Set the delegates of <see cref="GridOptions.Events"/>, or derive from this class and name it by <see cref="GridOptions.EventsType"/>.
/// </summary>
/// <remarks>
/// The refusal stands whatever an event does: the endpoint does not run, and an event that throws is a 500. They concern endpoints of the
/// application; what <c>MapGrid()</c> maps answers as its clients expect, except for <see cref="TokenTheft"/>.
/// </remarks>
public class GridEvents
{
    /// <summary>A refresh brought a token that had been replaced: it may have been stolen, and the session has been revoked.</summary>
    public Func<GridTokenTheftContext, Task> OnTokenTheft { get; set; } = static _ => Task.CompletedTask;

    /// <summary>
    /// The access token has expired or cannot be accepted, and the answer is "try refresh token". <see cref="GridRefusedContext.Why"/> says which.
    /// </summary>
    public Func<GridRefusedContext, Task> OnExpired { get; set; } = static _ => Task.CompletedTask;

    /// <summary>The session has ended, and the answer tells the client to discard its tokens.</summary>
    public Func<GridRefusedContext, Task> OnEnded { get; set; } = static _ => Task.CompletedTask;

    /// <summary>The request has no session.</summary>
    public Func<GridRefusedContext, Task> OnNoSession { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Claims of the session failed validation.</summary>
    public Func<GridClaimsRefusedContext, Task> OnClaimsRefused { get; set; } = static _ => Task.CompletedTask;

    /// <inheritdoc cref="OnTokenTheft"/>
    public virtual Task TokenTheft(GridTokenTheftContext context) => OnTokenTheft(context);

    /// <inheritdoc cref="OnExpired"/>
    public virtual Task Expired(GridRefusedContext context) => OnExpired(context);

    /// <inheritdoc cref="OnEnded"/>
    public virtual Task Ended(GridRefusedContext context) => OnEnded(context);

    /// <inheritdoc cref="OnNoSession"/>
    public virtual Task NoSession(GridRefusedContext context) => OnNoSession(context);

    /// <inheritdoc cref="OnClaimsRefused"/>
    public virtual Task ClaimsRefused(GridClaimsRefusedContext context) => OnClaimsRefused(context);
}
