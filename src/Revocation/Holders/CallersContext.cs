namespace Grid.Revocation.Holders;

/// <summary>For signals that somebody else's thread gives, and whose continuations therefore run elsewhere.</summary>
/// <remarks>
/// <c>WaitAsync</c> on such a task ends on the thread pool whatever the caller's context is. On the task that this returns it ends in
/// that context: the simulator has one thread and lets a seed decide what runs next on it.
/// </remarks>
internal static class CallersContext
{
    public static async Task HereAsync(this Task signal) => await signal;

    public static async Task<T> HereAsync<T>(this Task<T> signal) => await signal;
}
