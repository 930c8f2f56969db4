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

/// <summary>How far the details of an active session can be relied on.</summary>
internal enum DetailsAge
{
    /// <summary>They were read as lately as was asked for.</summary>
    AsAsked,

    /// <summary>The store did not answer: they are older, but not by more than was asked for, and not known to have changed.</summary>
    Older,

    /// <summary>The store did not answer, and they have changed since, or may have long ago.</summary>
    Outdated,
}

/// <summary>The outcome of a check; the session is there if it is active.</summary>
internal readonly record struct SessionFinding(Liveness Liveness, KnownSession? Session = null, DetailsAge Details = DetailsAge.AsAsked);

/// <summary>Checks sessions: from memory if the session is known, otherwise by one look into the store, shared by everyone who waits for it.</summary>
internal sealed class SessionChecks(Holder holder, ISessionLook store, TimeProvider clock)
{
    // A void look was overtaken by a revocation; the next one usually gives the answer.
    private const int MaxLooks = 4;

    // An outage of the store must not delay what memory can answer.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<SessionName, Task<LookOutcome>> _looking = new();

    /// <summary>Whether a session is active now.</summary>
    /// <param name="name">The session.</param>
    /// <param name="detailsWithin">How old <see cref="KnownSession.Details"/> may be; null if they are not needed.</param>
    /// <exception cref="Exception">The session was not known, and the store did not answer.</exception>
    public ValueTask<SessionFinding> FindAsync(SessionName name, TimeSpan? detailsWithin = null)
    {
        var verdict = holder.Check(name, out var known);
        return verdict == HolderVerdict.Known && (detailsWithin is not { } within || holder.HasDetails(known!, within))
            ? new ValueTask<SessionFinding>(new SessionFinding(Liveness.Active, known))
            : new ValueTask<SessionFinding>(LookAsync(name, known, detailsWithin));
    }

    /// <summary>Signals when a session ends.</summary>
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
    /// Looks up watched sessions that the holder does not vouch for, so that an end that it missed, or an expiry, is signalled. To be
    /// called periodically.
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
                // The store is unavailable: retried in the next round.
            }
        }
    }

    private async Task<SessionFinding> LookAsync(SessionName name, KnownSession? known, TimeSpan? detailsWithin)
    {
        for (var attempt = 0; attempt < MaxLooks; attempt++)
        {
            var mine = new TaskCompletionSource<LookOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            var shared = _looking.GetOrAdd(name, mine.Task);
            var isMine = shared == mine.Task;
            LookOutcome outcome;
            if (isMine)
            {
                // Not fresh: the store's answer could not be vouched for.
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
                // Only its details are outdated: the holder can still tell whether it is active.
                return holder.Check(name, out var stillKnown) == HolderVerdict.Known
                    ? new SessionFinding(Liveness.Active, stillKnown, AgeOf(stillKnown!, detailsWithin))
                    : new SessionFinding(Liveness.Unknown);
            }

            if (outcome == LookOutcome.NotThere && isMine)
            {
                return new SessionFinding(Liveness.Ended);
            }

            // A caller that joined came after the look began: check again what it found, and look again for what it did not find.
            switch (holder.Check(name, out var found))
            {
                case HolderVerdict.Known:
                    // A look that had begun before this question may have read the row as it was before a write that the caller knows of.
                    // Those that are joined later began after it.
                    if (!isMine && attempt == 0 && AgeOf(found!, detailsWithin) != DetailsAge.AsAsked)
                    {
                        known = found;
                        continue;
                    }

                    return new SessionFinding(Liveness.Active, found);
                case HolderVerdict.NotFresh:
                    return new SessionFinding(Liveness.Unknown);
                default:
                    continue;
            }
        }

        return new SessionFinding(Liveness.Unknown);
    }

    private DetailsAge AgeOf(KnownSession known, TimeSpan? asked) =>
        asked is not { } within || holder.HasDetails(known, within) ? DetailsAge.AsAsked
        : holder.HasDetails(known, 2 * within) ? DetailsAge.Older
        : DetailsAge.Outdated;

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

            // Mark it observed: nobody may be waiting.
            _ = done.Task.Exception;
        }
    }
}
