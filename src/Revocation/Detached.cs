namespace Grid.Revocation;

/// <summary>Work that outlasts whoever happens to begin it.</summary>
internal static class Detached
{
    /// <summary>Runs it on the thread pool, without what the beginner's flow of control carries: a request's context, an Orleans call's, a trace.</summary>
    public static Task Run(Func<Task> work)
    {
        using AsyncFlowControl? context = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        return Task.Run(work);
    }
}
