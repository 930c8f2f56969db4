using System.Diagnostics.Metrics;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation;
using Grid.Revocation.Holders;

namespace Grid.WebFront.Sessions;

/// <summary>Whether a token's session lives, from this process's memory where it can say so, by the app's mode where nobody can.</summary>
public sealed class SessionLives(SessionChecks checks, LeaseTerms terms, IMeterFactory meters)
{
    /// <summary>Meter of all of Grid's figures.</summary>
    public const string Meter = "Grid";

    private readonly Counter<long> _unchecked = meters.Create(Meter).CreateCounter<long>(
        "grid.sessions.accepted_unchecked", "{request}", "Requests accepted on the token alone because nobody could say whether the session lives (stale_session_behaviour=BOUNDED).");

    /// <summary>Whether a request may go on.</summary>
    /// <exception cref="StoreUnavailableException">Nobody can say, and the app is strict.</exception>
    public ValueTask<bool> AcceptsAsync(AppSnapshot app, SessionHandle handle)
    {
        ArgumentNullException.ThrowIfNull(app);
        var finding = checks.FindAsync(Name(app, handle));
        return finding is { IsCompletedSuccessfully: true, Result.Life: SessionLife.Lives } ? new ValueTask<bool>(true) : AcceptsAsync(app, finding);
    }

    /// <summary>A living session's row; null if there is none.</summary>
    /// <param name="app">Where.</param>
    /// <param name="handle">Which.</param>
    /// <param name="fresh">Read it from the store; else a row that was read within a lease will do. A row that comes back again could not be read.</param>
    /// <exception cref="StoreUnavailableException">Nobody can say.</exception>
    public async ValueTask<SessionRecord?> ReadAsync(AppSnapshot app, SessionHandle handle, bool fresh)
    {
        ArgumentNullException.ThrowIfNull(app);
        var finding = await checks.FindAsync(Name(app, handle), fresh ? TimeSpan.Zero : terms.Lease);
        return finding.Life switch
        {
            SessionLife.Lives => (SessionRecord)finding.Session!.Details!,
            SessionLife.Over => null,
            _ => throw NobodyCanSay(),
        };
    }

    private static SessionName Name(AppSnapshot app, SessionHandle handle) => new SessionKey(app.App, handle).Name;

    private static StoreUnavailableException NobodyCanSay() => new("The store has not been heard from for a lease: whether the session lives cannot be said.");

    private async ValueTask<bool> AcceptsAsync(AppSnapshot app, ValueTask<SessionFinding> finding)
    {
        try
        {
            switch ((await finding).Life)
            {
                case SessionLife.Lives:
                    return true;
                case SessionLife.Over:
                    return false;
                default:
                    throw NobodyCanSay();
            }
        }
        catch (StoreUnavailableException) when (app.Settings.StaleBehaviour == StaleBehaviour.Bounded)
        {
            _unchecked.Add(1);
            return true;
        }
    }
}
