using Grid.Client;

namespace Grid.AspNetCore.Browser;

/// <summary>What a sign-in does to the sessions that the browser had, and to its own if that fails.</summary>
internal static class FormerSessions
{
    private static readonly TimeSpan CleanUpWithin = TimeSpan.FromSeconds(5);

    /// <summary>Ends a session that a sign-in replaces.</summary>
    /// <returns>False if Grid cannot name it: where its tenant was removed it is over already.</returns>
    /// <exception cref="GridException">It may be active still.</exception>
    public static async Task<bool> ReplaceAsync(this IGridSessions sessions, string former)
    {
        try
        {
            await sessions.RevokeAsync(former, GridRevocationReason.Replaced, CancellationToken.None);
            return true;
        }
        catch (GridException failure) when (failure.Reason == GridFailure.Refused)
        {
            if (await sessions.IsActiveAsync(former, CancellationToken.None))
            {
                throw;
            }

            return false;
        }
    }

    /// <summary>Ends the session of a sign-in that failed, so that none is left that nobody has.</summary>
    /// <remarks>
    /// Never fails: the caller is to hear why the sign-in failed. The process that a revocation waits for may be silent for longer than
    /// this waits; the revocation goes on by itself.
    /// </remarks>
    public static Task CleanUpAsync(this IGridSessions sessions, string created) => Task.WhenAny(EndAsync(sessions, created), Task.Delay(CleanUpWithin));

    private static async Task EndAsync(IGridSessions sessions, string created)
    {
        try
        {
            await sessions.RevokeAsync(created, GridRevocationReason.Requested, CancellationToken.None);
        }
        catch (GridException)
        {
            // Then it lasts until its lifetime is over.
        }
    }
}
