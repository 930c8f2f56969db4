using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Watches;
using Grid.Grains.Holders;
using Grid.Grains.Outages;
using Grid.Grains.Watches;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Grid.Tokens;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Grid.Grains.Sessions;

/// <inheritdoc cref="ISessionGrain"/>
/// <remarks>
/// The row in memory only saves a read. Orleans may run two activations for a moment, so nothing is answered on the
/// strength of memory: a write is conditional on the row's version, and an answer without a write is read from the store.
/// Longer than most files: what one session's calls do to its row, and in which order, is read in one place.
/// Reentrant so that a call with a token that is being refreshed can join that refresh; <see cref="_turn"/> orders the rest.
/// </remarks>
[Reentrant]
internal sealed partial class SessionGrain(
    ISessionStore store, ISessionRevoker revoker, ActiveSessionGrains local, ChangeNotices changes, Notices notices, TrustedClock clock, StoreOutages outages,
    ILogger<SessionGrain> logger)
    : Grain, ISessionGrain, IDisposable
{
    // A version conflict means that another activation wrote; several in a row are more than bad luck.
    private const int MaxAttempts = 5;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private Refresh? _refreshing;
    private SessionKey _key;
    private SessionRecord? _row;
    private Rotation? _lastRotation;

    /// <summary>Its key.</summary>
    public SessionKey Key => _key;

    /// <summary>Whose it is; null while no row was read.</summary>
    public string? UserId { get; private set; }

    /// <summary>Links of <see cref="ActiveSessionGrains"/>, under its lock.</summary>
    public SessionGrain? NextOfUser { get; set; }

    /// <summary>Null for the first.</summary>
    public SessionGrain? PreviousOfUser { get; set; }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = SessionKey.Parse(this.GetPrimaryKeyString());
        local.Add(this);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Remove(this);
        return Task.CompletedTask;
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>The log has an entry that may concern this session. Thread-safe.</summary>
    /// <remarks>
    /// Frees the memory, and decides nothing: an entry about a tenant or an app is older than the sessions made since, and is heard up to a
    /// second later. Whether there still is a session, the store says.
    /// </remarks>
    public void LetGo() => this.DeactivateOnIdle();

    public async Task<SessionResult> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var row = new SessionRecord
        {
            Key = _key,
            UserId = session.UserId,
            RecipeUserId = session.RecipeUserId,
            Chain = new RefreshChain(session.RefreshTokenHash),
            PayloadJson = session.PayloadJson,
            DataJson = session.DataJson,
            UseDynamicKey = session.UseDynamicKey,
            CreatedAt = session.CreatedAt,
            ExpiresAt = session.ExpiresAt,
        };

        // A session's grain is seldom called in the minutes after its creation; at thousands a second the activations would pile up.
        this.DeactivateOnIdle();
        try
        {
            var inserted = session.IsOrdered
                ? await store.InsertOrderedAsync(row, clock.GetUtcNow(), CancellationToken.None)
                : await store.InsertAsync(row, CancellationToken.None);
            if (inserted && notices.AreWanted)
            {
                notices.Created(row);
            }

            return inserted
                ? new SessionResult(SessionOutcome.Ok, row.ToSnapshot())
                : new SessionResult(SessionOutcome.NotFound);
        }
        catch (StoreUnavailableException failure)
        {
            outages.Met("create", failure);
            NobodyKnows(row.UserId);
            return new SessionResult(SessionOutcome.Unavailable);
        }
    }

    public async Task<RefreshResult> RefreshAsync(RefreshRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        for (var other = _refreshing; other is not null; other = other.Next)
        {
            if (other.OlderRules == request.OlderRules && other.Presented == request.Presented)
            {
                return await other.Result;
            }
        }

        var result = InTurnAsync("refresh", () => RefreshInTurnAsync(request), new RefreshResult { Verdict = RefreshVerdict.Unavailable });
        var refresh = _refreshing = new Refresh(request.Presented, request.OlderRules, result) { Next = _refreshing };
        try
        {
            return await result;
        }
        finally
        {
            Leave(refresh);
        }
    }

    private void Leave(Refresh refresh)
    {
        if (_refreshing == refresh)
        {
            _refreshing = refresh.Next;
            return;
        }

        for (var other = _refreshing; other is not null; other = other.Next)
        {
            if (other.Next == refresh)
            {
                other.Next = refresh.Next;
            }
        }
    }

    public Task<PromoteResult> PromoteAsync(PromoteRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return InTurnAsync("promote", () => PromoteInTurnAsync(request), new PromoteResult(SessionOutcome.Unavailable));
    }

    public Task<SessionResult> UpdateAsync(string? payloadJson, string? dataJson, CancellationToken cancellationToken) =>
        InTurnAsync("update", () => UpdateInTurnAsync(payloadJson, dataJson), new SessionResult(SessionOutcome.Unavailable));

    public Task<SessionResult> ChangePayloadAsync(string changesJson, bool replaces, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changesJson);
        return InTurnAsync("change payload", () => ChangePayloadInTurnAsync(changesJson, replaces), new SessionResult(SessionOutcome.Unavailable));
    }

    private async Task<RefreshResult> RefreshInTurnAsync(RefreshRequest request)
    {
        if (await JoinedAsync(request) is { } joined)
        {
            return joined;
        }

        RefreshResult? refused = null;
        var (row, next, decision) = await DecideAndWriteAsync(current =>
        {
            var now = Now();
            refused = null;
            var decided = RefreshRotation.DecideRefresh(
                current.Chain, request.Presented, request.PresentedParent, TokenHash.Of(request.CandidateToken).HashOfHex(),
                request.OlderRules, request.Grace, now);
            if (decided.Verdict == RefreshVerdict.Reuse)
            {
                return (null, decided);
            }

            // Before the rotation: a caller that could not be answered after it would come back with a retired token.
            refused = TokenRefusal.Of(current, request, now);
            if (refused is not null)
            {
                return (null, decided);
            }

            var changed = current with
            {
                Chain = decided.Next ?? current.Chain,
                UseDynamicKey = request.UseDynamicKey ?? current.UseDynamicKey,
                ExpiresAt = decided.ExtendsExpiry ? SessionExpiry.Of(current.CreatedAt, now, request.RefreshTokenValidity, request.MaxLifetime) : current.ExpiresAt,
            };
            return (changed == current ? null : changed, decided);
        }, request.MaxLifetime);
        if (row is null)
        {
            return new RefreshResult { Verdict = RefreshVerdict.NotFound };
        }

        if (decision is null)
        {
            return new RefreshResult { Verdict = RefreshVerdict.NotFound, Ended = await CommitEndAsync(RevocationReason.LifetimeOver) };
        }

        if (decision.Verdict == RefreshVerdict.Reuse)
        {
            return await EndReusedAsync(row, decision.Reuse, request.OlderRules);
        }

        if (refused is not null)
        {
            return refused;
        }

        var result = new RefreshResult
        {
            Verdict = decision.Verdict,
            Session = (next ?? row).ToSnapshot(),
            RefreshToken = request.CandidateToken,
            AntiCsrf = request.CandidateAntiCsrf,
        };
        _lastRotation = request.OlderRules ? null : new Rotation(request.Presented, result.Verdict, request.CandidateToken, request.CandidateAntiCsrf, clock.GetTimestamp());
        return result;
    }

    // Tabs of one browser refresh milliseconds apart: the second must not displace the token that the first was just given.
    private async Task<RefreshResult?> JoinedAsync(RefreshRequest request)
    {
        if (request.OlderRules || _lastRotation is not { } last || last.Presented != request.Presented
            || clock.GetElapsedTime(last.At) >= request.JoinWithin)
        {
            return null;
        }

        _row = await store.ReadAsync(_key, CancellationToken.None);
        return _row is { } row && row.Chain.Current == TokenHash.Of(last.Token).HashOfHex() && row.ExpiresAt > clock.GetUtcNow()
            ? TokenRefusal.Of(row, request, clock.GetUtcNow()) ?? new RefreshResult { Verdict = last.Verdict, Session = row.ToSnapshot(), RefreshToken = last.Token, AntiCsrf = last.AntiCsrf }
            : null;
    }

    private async Task<RefreshResult> EndReusedAsync(SessionRecord row, ReuseKind reuse, bool olderRules)
    {
        var (app, tenant, user) = (Printable.Of(_key.App.ToString()), Printable.Of(_key.Handle.TenantId), Printable.Of(row.UserId));
        Log.RefreshTokenReused(logger, _key.Handle.ToString(), reuse, app, tenant, user, olderRules ? "its SDK ends the session" : "the session ends");
        var result = new RefreshResult { Verdict = RefreshVerdict.Reuse, Session = row.ToSnapshot(), Reuse = reuse };
        if (olderRules)
        {
            return result;
        }

        // Committed before the answer leaves, so that a crash in between gains the holder of a stolen token nothing.
        return result with { Ended = await CommitEndAsync(RevocationReason.RefreshTokenReuse) };
    }

    private async Task<ImmutableArray<RevocationEntry>> CommitEndAsync(RevocationReason reason)
    {
        var scope = new RevocationScope.Named { App = _key.App, Sessions = [_key.Handle] };
        var revoked = await revoker.CommitAsync(scope, reason, CancellationToken.None);
        _row = null;
        LetGo();
        return revoked.Entries;
    }

    private async Task<PromoteResult> PromoteInTurnAsync(PromoteRequest request)
    {
        var (row, next, decision) = await DecideAndWriteAsync(current =>
        {
            var now = Now();
            var decided = RefreshRotation.DecidePromote(current.Chain, request.Token, request.Parent, now);
            return (decided.Next is { } chain ? current with { Chain = chain, ExpiresAt = SessionExpiry.Of(current.CreatedAt, now, request.RefreshTokenValidity, request.MaxLifetime) } : null, decided);
        }, request.MaxLifetime);
        return row is null ? new PromoteResult(SessionOutcome.NotFound)
            : decision is null ? new PromoteResult(SessionOutcome.NotFound) { Ended = await CommitEndAsync(RevocationReason.LifetimeOver) }
            : new PromoteResult(SessionOutcome.Ok, (next ?? row).ToSnapshot(), decision.IsCurrent);
    }

    private async Task<SessionResult> UpdateInTurnAsync(string? payloadJson, string? dataJson)
    {
        var (row, next, _) = await DecideAndWriteAsync(current =>
        {
            var changed = current with { PayloadJson = payloadJson ?? current.PayloadJson, DataJson = dataJson ?? current.DataJson };
            return (changed == current ? null : changed, true);
        });
        return row is null
            ? new SessionResult(SessionOutcome.NotFound)
            : new SessionResult(SessionOutcome.Ok, (next ?? row).ToSnapshot());
    }

    private async Task<SessionResult> ChangePayloadInTurnAsync(string changesJson, bool replaces)
    {
        var (row, next, fits) = await DecideAndWriteAsync(current =>
        {
            var payload = replaces ? PayloadText.Replace(current.PayloadJson, changesJson) : PayloadText.Merge(current.PayloadJson, changesJson);
            var fits = AccessTokenSize.OfPayload(payload) <= AccessTokenSize.MaxPayload;
            return (fits && payload != current.PayloadJson ? current with { PayloadJson = payload } : null, fits);
        });
        return row is null ? new SessionResult(SessionOutcome.NotFound)
            : fits ? new SessionResult(SessionOutcome.Ok, (next ?? row).ToSnapshot())
            : new SessionResult(SessionOutcome.TooLarge);
    }

    /// <summary>Runs a pure decision on the row and commits what it asks for, until the store agrees that the row was the truth.</summary>
    /// <returns>The row decided on (null if there is no session), the row written (null if none), the decision (none if the session is past its longest lifetime).</returns>
    private async Task<(SessionRecord? Row, SessionRecord? Written, T? Decision)> DecideAndWriteAsync<T>(
        Func<SessionRecord, (SessionRecord? Next, T Decision)> decide, TimeSpan maxLifetime = default)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var fromStore = _row is null;
            _row ??= await store.ReadAsync(_key, CancellationToken.None);
            var row = _row;
            if (row is null || row.ExpiresAt <= clock.GetUtcNow())
            {
                _row = null;
                if (fromStore)
                {
                    this.DeactivateOnIdle();
                    return default;
                }

                continue;
            }

            IndexByUser(row);
            if (SessionExpiry.EndsWithin(row.CreatedAt, clock.GetUtcNow(), maxLifetime))
            {
                return (row, null, default);
            }

            var (next, decision) = decide(row);
            if (next is null && fromStore)
            {
                return (row, null, decision);
            }

            if (next is not null)
            {
                next = next with { Version = row.Version + 1 };
                if (await store.UpdateAsync(next, CancellationToken.None))
                {
                    _row = next;
                    changes.Announce(_key.Name);
                    if (notices.AreWanted)
                    {
                        notices.Written(row, next);
                    }

                    return (row, next, decision);
                }
            }

            _row = null;
        }

        throw new StoreUnavailableException($"Session {_key.Handle} kept changing under {MaxAttempts} attempts to write it.");
    }

    private void IndexByUser(SessionRecord row)
    {
        if (UserId is null)
        {
            UserId = row.UserId;
            local.IndexByUser(this);
        }
    }

    private async Task<T> InTurnAsync<T>(string operation, Func<Task<T>> work, T unavailable)
    {
        await _turn.WaitAsync();
        try
        {
            return await work();
        }
        catch (StoreUnavailableException failure)
        {
            // The outcome of the write is unknown: the next call reads the row.
            _row = null;
            outages.Met(operation, failure);
            NobodyKnows(UserId);
            return unavailable;
        }
        finally
        {
            _turn.Release();
        }
    }

    // Whether the write took place: whoever watches the user is told so.
    private void NobodyKnows(string? userId)
    {
        if (notices.AreWanted && userId is not null)
        {
            notices.Unknown(new WatchedUser(_key.App, userId));
        }
    }

    // Rows hold milliseconds: memory must equal what a read returns.
    private DateTimeOffset Now() => clock.GetUtcMilliseconds();

    // Of the answer all but the session, which is read again.
    private sealed record Rotation(TokenHash Presented, RefreshVerdict Verdict, string Token, string? AntiCsrf, long At);

    // One that is under way. There is hardly ever more than one.
    private sealed class Refresh(TokenHash presented, bool olderRules, Task<RefreshResult> result)
    {
        public TokenHash Presented { get; } = presented;

        public bool OlderRules { get; } = olderRules;

        public Task<RefreshResult> Result { get; } = result;

        public Refresh? Next { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(2100, LogLevel.Warning, "Refresh token reused on session {SessionHandle} ({Reuse}): app {App}, tenant {Tenant}, user \"{User}\"; {Consequence}")]
        public static partial void RefreshTokenReused(ILogger logger, string sessionHandle, ReuseKind reuse, string app, string tenant, string user, string consequence);
    }
}
