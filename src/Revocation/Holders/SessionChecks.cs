using System.Collections.Concurrent;

namespace Grid.Revocation.Holders;

/// <summary>Whether a session is still good.</summary>
internal enum Liveness
{
    /// <summary>It is active.</summary>
    Active,

    /// <summary>There is no such session: it was revoked, has expired, or never existed.</summary>
    Ended,

    /// <summary>This holder is not fresh and cannot tell. Answer 503, never 401.</summary>
    Unknown,
}

/// <summary>The outcome of a check; the session is there if it is active.</summary>
internal readonly record struct SessionFinding(Liveness Liveness, FoundSession? Session = null);

/// <summary>Judges requests: from memory where the session is known, else by one look into the store that all who wait share.</summary>
internal sealed class SessionChecks(Holder holder, ISessionLook store, TimeProvider clock)
{
    // A look that finds itself void was overtaken by a revocation; the second one mostly says which.
    private const int MaxLooks = 4;

    // An outage must not hold up what memory can answer.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<SessionName, Task<LookOutcome>> _looking = new();

    /// <summary>Whether a session lives now.</summary>
    /// <param name="name">Which.</param>
    /// <param name="detailsWithin">How old <see cref="FoundSession.Details"/> may be; null: they are not asked for.</param>
    /// <exception cref="Exception">The session was not known, and the store did not answer.</exception>
    public ValueTask<SessionFinding> FindAsync(SessionName name, TimeSpan? detailsWithin = null)
    {
        var verdict = holder.Check(name, out var known);
        return verdict == HolderVerdict.Known && (detailsWithin is not { } within || holder.HasDetails(known!, within))
            ? new ValueTask<SessionFinding>(new SessionFinding(Liveness.Active, known!.Found))
            : new ValueTask<SessionFinding>(LookAsync(name, known));
    }

    /// <summary>Tells when a session ends.</summary>
    public SessionWatch Watch(SessionName name)
    {
        var watch = holder.Watch(name);
        if (holder.Check(name, out _) != HolderVerdict.Known)
        {
            _ = RecheckAsync([name]);
        }

        return watch;
    }

    /// <summary>
    /// Looks up the watched sessions that the holder does not vouch for, so that those that ended or expired unseen are told. To be
    /// called now and then.
    /// </summary>
    public Task RecheckWatchedAsync() => RecheckAsync(holder.UnseenWatched());

    private async Task RecheckAsync(IReadOnlyList<SessionName> names)
    {
        foreach (var name in names)
        {
            try
            {
                await FindAsync(name);
            }
            catch (Exception)
            {
                // The store is away: the next round will tell.
            }
        }
    }

    private async Task<SessionFinding> LookAsync(SessionName name, KnownSession? known)
    {
        for (var attempt = 0; attempt < MaxLooks; attempt++)
        {
            var mine = new TaskCompletionSource<LookOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            var shared = _looking.GetOrAdd(name, mine.Task);
            var isMine = shared == mine.Task;
            LookOutcome outcome;
            if (isMine)
            {
                // Not fresh, so nothing that the store said now could be vouched for.
                if (holder.StartLook(name) is not { } ticket)
                {
                    _looking.TryRemove(name, out _);
                    mine.SetResult(LookOutcome.Void);
                    return new SessionFinding(Liveness.Unknown);
                }

                _ = FinishAsync(name, ticket, mine);
            }

            try
            {
                outcome = known is null ? await shared : await shared.HereAsync().WaitAsync(Patience, clock);
            }
            catch (Exception failure) when (known is not null && (failure is TimeoutException || holder.Check(name, out _) == HolderVerdict.Known))
            {
                // Only its details are outdated: whether it lives may be vouched for without the store.
                return holder.Check(name, out var stillKnown) == HolderVerdict.Known
                    ? new SessionFinding(Liveness.Active, stillKnown!.Found)
                    : new SessionFinding(Liveness.Unknown);
            }

            if (outcome == LookOutcome.NotThere && isMine)
            {
                return new SessionFinding(Liveness.Ended);
            }

            // Whoever joined came later than the look: what it found is checked again, what it missed may have been made meanwhile.
            switch (holder.Check(name, out var found))
            {
                case HolderVerdict.Known:
                    return new SessionFinding(Liveness.Active, found!.Found);
                case HolderVerdict.NotFresh:
                    return new SessionFinding(Liveness.Unknown);
                default:
                    continue;
            }
        }

        return new SessionFinding(Liveness.Unknown);
    }

    private async Task FinishAsync(SessionName name, LookTicket ticket, TaskCompletionSource<LookOutcome> done)
    {
        try
        {
            var found = await store.LookAsync(name, CancellationToken.None);
            var outcome = holder.CompleteLook(ticket, name, found);
            _looking.TryRemove(name, out _);
            done.SetResult(outcome);
        }
        catch (Exception failure)
        {
            _looking.TryRemove(name, out _);
            done.SetException(failure);

            // Perhaps nobody waits any more.
            _ = done.Task.Exception;
        }
    }
}
