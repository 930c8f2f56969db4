namespace Grid.Revocation.Holders;

/// <summary>Awaits signals that are set by another thread, and continues in the caller's context.</summary>
/// <remarks>
/// <c>WaitAsync</c> on such a task continues on the thread pool, regardless of the caller's context; on the task returned here it continues in
/// that context. The simulator needs this: it has one thread, and a seed decides what runs next on it.
/// </remarks>
internal static class CallersContext
{
    public static async Task HereAsync(this Task signal) => await signal;

    public static async Task<T> HereAsync<T>(this Task<T> signal) => await signal;
}
