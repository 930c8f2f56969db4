using System.Runtime.CompilerServices;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Client;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Testing.Memory;
using Grid.Tokens;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;
using Grid.WebFront.Sessions;

namespace Grid.Testing;

/// <summary>
/// Sessions in the memory of the test's process: no Grid, no store, no network, and tokens, claims and rules are the real ones. What is
/// revoked is refused when the call returns.
/// </summary>
/// <remarks>
/// Every call completes at once. Access tokens are valid for exactly <see cref="AccessTokenValidity"/>. A revocation's receipt counts one process.
/// Longer than most files: every call of the interface over one dictionary.
/// </remarks>
public sealed class GridTestSessions : IGridSessions
{
    private readonly Lock _changing = new();
    private readonly Dictionary<SessionHandle, StoredSession> _sessions = [];
    private readonly HashSet<string> _tenants = new(StringComparer.Ordinal) { TenantKey.PublicId };
    private readonly SessionWatches _watches = new();
    private readonly UserEvents _events = new();
    private readonly AccessTokenVerifier _verifier = new();
    private readonly KeyRing _keys = TestKeys.Create();
    private readonly TimeProvider _clock;
    private long _position;

    /// <summary>By the machine's clock.</summary>
    public GridTestSessions()
        : this(TimeProvider.System)
    {
    }

    /// <param name="clock">By which tokens and sessions expire, such as a <c>FakeTimeProvider</c>.</param>
    public GridTestSessions(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
    }

    /// <summary>How long new access tokens are valid. Default 1 hour.</summary>
    public TimeSpan AccessTokenValidity { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a session lives after it was created or refreshed last. Default 100 days.</summary>
    public TimeSpan RefreshTokenValidity { get; set; } = TimeSpan.FromDays(100);

    /// <summary>
    /// Whether Grid is away: every call that needs it then fails with <see cref="GridFailure.Unavailable"/>, which an application answers with
    /// 503. Default false.
    /// </summary>
    public bool IsAway { get; set; }

    /// <summary>Adds a tenant, which sessions may then name. <c>public</c> is there from the start.</summary>
    public void AddTenant(string tenantId)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        lock (_changing)
        {
            _tenants.Add(tenantId);
        }
    }

    /// <summary>Revokes all sessions of a user, in all tenants.</summary>
    /// <returns>The handles of the sessions that have ended.</returns>
    public IReadOnlyList<string> Revoke(string userId) => EndUser(userId, tenantId: null, exceptHandle: null).Handles;

    /// <inheritdoc/>
    public Task<CreatedSession> CreateAsync(SessionDraft draft, CancellationToken cancellationToken) => Run(() =>
    {
        var judged = ClientInput.Draft(draft);
        PayloadRules.Check(judged.PayloadJson, AccessTokenVersion.V5);
        var now = Now;
        var handle = SessionHandle.Create(Tenant(judged.TenantId), now);
        var antiCsrf = judged.WithAntiCsrf ? AccessTokens.NewAntiCsrf() : null;
        var refreshToken = RefreshTokenCodec.Mint(new RefreshTokenContent(AppKey.PublicId, handle.ToString(), null, antiCsrf), _keys.Mac);
        var row = new SessionRecord
        {
            Key = new SessionKey(AppKey.Public, handle),
            UserId = judged.UserId,
            Chain = new RefreshChain(TokenHash.Of(refreshToken).HashOfHex()),
            PayloadJson = judged.PayloadJson,
            DataJson = judged.DataJson,
            UseDynamicKey = judged.UseDynamicSigningKey,
            CreatedAt = now,
            ExpiresAt = now + RefreshTokenValidity,
        };
        _sessions.Add(handle, new StoredSession { Row = row });
        _events.Created(row);
        return new CreatedSession(handle.ToString(), row.UserId, handle.TenantId, row.PayloadJson, Tokens(row, refreshToken, antiCsrf));
    });

    /// <inheritdoc/>
    public ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken)
    {
        var check = _verifier.Verify(token.AccessToken, _keys, _clock.GetUtcNow());
        if (check is not { Outcome: AccessTokenOutcome.Valid, Content: { } content })
        {
            return new(new TokenCheck(SessionVerdict.TryRefresh, check.Content, check.Outcome.ToString()));
        }

        if (token.CheckAntiCsrf && (content.AntiCsrfToken is null || content.AntiCsrfToken != token.AntiCsrf))
        {
            return new(new TokenCheck(SessionVerdict.TryRefresh, Why: "anti-CSRF token missing or different"));
        }

        return token.CheckSession
            ? new(Run(() => Find(content.SessionHandle) is null ? new TokenCheck(SessionVerdict.Unauthorised, Why: "the session has ended") : new TokenCheck(SessionVerdict.Ok, content)))
            : new(new TokenCheck(SessionVerdict.Ok, content));
    }

    /// <inheritdoc/>
    public ValueTask<bool> IsActiveAsync(string handle, CancellationToken cancellationToken) => new(Run(() => Find(handle) is not null));

    /// <inheritdoc/>
    public Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken) => Run(() => Refresh(token));

    /// <inheritdoc/>
    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken) =>
        Run(() => Regenerate(accessToken, ClientInput.JsonObject(payloadJson, "The payload")));

    /// <inheritdoc/>
    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, CancellationToken cancellationToken) => Run(() =>
        _verifier.Verify(accessToken, _keys, _clock.GetUtcNow()).Content is { } content && Find(content.SessionHandle) is { } session
            ? Regenerate(accessToken, session.Row.PayloadJson)
            : null);

    /// <inheritdoc/>
    public ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken) => new(Run(() => Find(handle)?.Row.ToInformation()));

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken) => Run<IReadOnlyList<string>>(() =>
        [.. OfUser(userId, tenantId).Select(row => row.Key.Handle.ToString())]);

    /// <inheritdoc/>
    public Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken) => Run(() =>
    {
        var data = ClientInput.JsonObject(dataJson, "The data");
        return Change(handle, row => row with { DataJson = data });
    });

    /// <inheritdoc/>
    public Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken) => Run(() =>
    {
        var payload = ClientInput.JsonObject(payloadJson, "The payload");
        return ChangePayload(handle, payload, PayloadText.Replace) is not null;
    });

    /// <inheritdoc/>
    public Task<string?> MergePayloadAsync(string handle, string changesJson, CancellationToken cancellationToken) =>
        Run(() => ChangePayload(handle, ClientInput.JsonObject(changesJson, "The changes"), PayloadText.Merge));

    /// <inheritdoc/>
    public Task<string> CreateJwtAsync(JwtDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(draft);
        return Run(() => ServiceJwts.Mint(
            ClientInput.JsonObject(draft.PayloadJson, "The payload"), draft.Validity, draft.Issuer, draft.UseStaticSigningKey, _keys, _clock.GetUtcNow()));
    }

    /// <inheritdoc/>
    public Task<GridRevocation> RevokeAsync(string handle, GridRevocationReason reason, CancellationToken cancellationToken) => RevokeAsync([handle], reason, cancellationToken);

    /// <inheritdoc/>
    public Task<GridRevocation> RevokeAsync(IReadOnlyCollection<string> sessionHandles, GridRevocationReason reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sessionHandles);
        return Run(() => End([.. sessionHandles.Select(Find).OfType<StoredSession>().Select(session => session.Row).Distinct()], reason switch
        {
            GridRevocationReason.SignedOut => SessionEndReason.SignedOut,
            GridRevocationReason.Replaced => SessionEndReason.Replaced,
            _ => SessionEndReason.Requested,
        }));
    }

    /// <inheritdoc/>
    public Task<GridRevocation> RevokeTenantAsync(string tenantId, CancellationToken cancellationToken) => Run(() =>
    {
        var tenant = Tenant(tenantId);
        return End([.. Active().Where(row => row.Key.Handle.TenantId == tenant)]);
    });

    /// <inheritdoc/>
    public Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(EndUser(userId, tenantId, exceptHandle));
        }
        catch (GridException failure)
        {
            return Task.FromException<GridRevocation>(failure);
        }
    }

    /// <inheritdoc/>
    public SessionWatch Watch(string handle)
    {
        if (!SessionHandle.TryParse(handle, out var parsed))
        {
            throw new ArgumentException($"'{handle}' is not a session handle.", nameof(handle));
        }

        lock (_changing)
        {
            var name = new SessionKey(AppKey.Public, parsed).Name;
            var watch = _watches.Add(name, 0);
            if (Find(handle) is null)
            {
                _watches.End(name);
            }

            return watch;
        }
    }

    /// <inheritdoc/>
    /// <remarks>A session that expires is told of by the next call of any kind.</remarks>
    public async IAsyncEnumerable<SessionEvent> WatchUserAsync(string userId, string? tenantId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watch = Do(() => _events.Open(ClientInput.UserId(userId), tenantId is null ? null : Tenant(tenantId), Now));
        try
        {
            await foreach (var told in watch.ReadAllAsync(cancellationToken))
            {
                yield return told;
            }
        }
        finally
        {
            lock (_changing)
            {
                _events.Close(watch);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken) => new(Run(() => new PublishedKeys(_keys.JwksJson(_clock.GetUtcNow()), TimeSpan.FromHours(1))));

    // As the store keeps times.
    private DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(_clock.GetUtcNow().ToUnixTimeMilliseconds());

    private static DateTimeOffset Seconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    private RegeneratedSession? Regenerate(string accessToken, string payload)
    {
        if (_verifier.Verify(accessToken, _keys, _clock.GetUtcNow()) is not { Content: { } content } check)
        {
            return null;
        }

        PayloadRules.Check(payload, content.Version);
        if (Find(content.SessionHandle) is not { } session)
        {
            return null;
        }

        Write(session, session.Row with { PayloadJson = payload });
        var issued = check.Outcome == AccessTokenOutcome.Valid ? Issue(content with { IssuedAt = Seconds(Now), PayloadJson = payload }, session.Row) : null;
        return new RegeneratedSession(content.SessionHandle, session.Row.UserId, session.Row.Key.Handle.TenantId, payload, issued);
    }

    private string? ChangePayload(string handle, string changesJson, Func<string, string, string> change)
    {
        PayloadRules.Check(changesJson, AccessTokenVersion.V5);
        if (Find(handle) is not { } session)
        {
            return null;
        }

        var payload = change(session.Row.PayloadJson, changesJson);
        PayloadRules.Check(payload, AccessTokenVersion.V5);
        Write(session, session.Row with { PayloadJson = payload });
        return payload;
    }

    private TokenRefresh Refresh(TokenToRefresh token)
    {
        if (Choose(token) is not { } presented || !RefreshTokenCodec.TryRead(presented, _keys.Mac, out var content) || Find(content.SessionHandle) is not { } session)
        {
            return Unauthorised("Refresh token is not valid, or its session has ended");
        }

        if (token.EnableAntiCsrf && content.AntiCsrfToken is not null && content.AntiCsrfToken != token.AntiCsrf)
        {
            return Unauthorised("Anti CSRF token missing, or not matching");
        }

        var hash = TokenHash.Of(presented).HashOfHex();
        if (session.LastRefresh is { } last && last.Presented == hash && _clock.GetElapsedTime(last.At) < token.JoinWithin
            && session.Row.Chain.Current == TokenHash.Of(last.RefreshToken).HashOfHex())
        {
            RefuseTooLong(token, session.Row, last.AntiCsrf);
            return Refreshed(session.Row, last.RefreshToken, last.AntiCsrf);
        }

        var antiCsrf = token.EnableAntiCsrf ? AccessTokens.NewAntiCsrf() : null;
        var candidate = RefreshTokenCodec.Mint(content with { ParentHash1 = TokenHash.Of(presented), AntiCsrfToken = antiCsrf }, _keys.Mac);
        var decision = RefreshRotation.DecideRefresh(
            session.Row.Chain, hash, content.ParentHash1?.HashOfHex(), TokenHash.Of(candidate).HashOfHex(), olderRules: false, new SessionSettings().RefreshRotationGrace, Now);
        if (decision.Verdict == RefreshVerdict.Reuse)
        {
            End([session.Row], SessionEndReason.RefreshTokenReuse);
            return new TokenRefresh { Verdict = SessionVerdict.TokenTheft, Handle = content.SessionHandle, UserId = session.Row.UserId, Reuse = decision.Reuse };
        }

        RefuseTooLong(token, session.Row, antiCsrf);
        Write(session, session.Row with
        {
            Chain = decision.Next ?? session.Row.Chain,
            UseDynamicKey = token.UseDynamicSigningKey,
            ExpiresAt = decision.ExtendsExpiry ? Now + RefreshTokenValidity : session.Row.ExpiresAt,
        });
        session.LastRefresh = new StoredSession.Refresh(hash, candidate, antiCsrf, _clock.GetTimestamp());
        return Refreshed(session.Row, candidate, antiCsrf);
    }

    // Rows are in memory: the choice never waits.
    private string? Choose(TokenToRefresh token) => token.Others is not { Count: > 0 } others
        ? token.RefreshToken
        : RefreshTokenChoice.OnlyRightAsync(
            [token.RefreshToken, .. others], _keys,
            new AppSnapshot { App = AppKey.Public, Settings = new SessionSettings(), ApiKeyHashes = [], TenantIds = [.. _tenants] },
            handle => new(Find(handle.ToString())?.Row), olderRules: false, Now).AsTask().GetAwaiter().GetResult();

    private TokenRefresh Refreshed(SessionRecord row, string refreshToken, string? antiCsrf) => new()
    {
        Verdict = SessionVerdict.Ok,
        Handle = row.Key.Handle.ToString(),
        UserId = row.UserId,
        TenantId = row.Key.Handle.TenantId,
        PayloadJson = row.PayloadJson,
        Tokens = Tokens(row, refreshToken, antiCsrf),
    };

    // Before the rotation: who could not be answered after it would come back with a retired token.
    private void RefuseTooLong(TokenToRefresh token, SessionRecord row, string? antiCsrf)
    {
        var most = token.MaxAccessTokenLength > 0 ? token.MaxAccessTokenLength : AccessTokenSize.MaxLength;
        var length = AccessTokenSize.Of(Content(row, TokenHash.Of(token.RefreshToken), antiCsrf));
        if (length > most)
        {
            throw new GridException(GridFailure.TokenTooLong, $"The access token would have {length} characters, and at most {most} are allowed: put less into the payload.");
        }
    }

    private static TokenRefresh Unauthorised(string why) => new() { Verdict = SessionVerdict.Unauthorised, Why = why };

    private SessionTokens Tokens(SessionRecord row, string refreshToken, string? antiCsrf) => new(
        Issue(Content(row, TokenHash.Of(refreshToken), antiCsrf), row), new IssuedToken(refreshToken, Now, row.ExpiresAt), antiCsrf);

    private AccessTokenContent Content(SessionRecord row, TokenHash hash1, string? antiCsrf) => new()
    {
        Version = AccessTokenVersion.V5,
        UserId = row.UserId,
        IssuedAt = Seconds(Now),
        ExpiresAt = Seconds(Now + AccessTokenValidity),
        TenantId = row.Key.Handle.TenantId,
        RecipeUserId = row.UserId,
        SessionHandle = row.Key.Handle.ToString(),
        RefreshTokenHash1 = hash1.ToHex(),
        AntiCsrfToken = antiCsrf,
        PayloadJson = row.PayloadJson,
    };

    private IssuedToken Issue(AccessTokenContent content, SessionRecord row) =>
        new(AccessTokenIssuer.Mint(content, _keys.SigningKey(row.UseDynamicKey, Now)), content.IssuedAt, content.ExpiresAt);

    private GridRevocation EndUser(string userId, string? tenantId, string? exceptHandle) => Do(() =>
        exceptHandle is not null && !SessionHandle.TryParse(exceptHandle, out _)
            ? throw new GridException(GridFailure.Refused, "The excepted session's handle is none.")
            : End([.. OfUser(userId, tenantId).Where(row => row.Key.Handle.ToString() != exceptHandle)]));

    private GridRevocation End(IReadOnlyList<SessionRecord> rows, SessionEndReason reason = SessionEndReason.Requested)
    {
        foreach (var row in rows)
        {
            _sessions.Remove(row.Key.Handle);
            _watches.End(row.Key.Name);
            _events.Ended(row, Now, reason);
        }

        _position += rows.Count;
        return new GridRevocation([.. rows.Select(row => row.Key.Handle.ToString())], new RevocationReceipt(rows.Count == 0 ? 0 : _position, TimeSpan.Zero, 1, 0, 0));
    }

    private void Write(StoredSession session, SessionRecord next)
    {
        _events.Written(session.Row, next, Now);
        session.Row = next;
    }

    // Nothing happens when a session expires: it is noticed by the next call.
    private void TellExpired()
    {
        foreach (var row in _sessions.Values.Select(session => session.Row).Where(row => row.ExpiresAt <= Now).ToList())
        {
            _sessions.Remove(row.Key.Handle);
            _events.Ended(row, row.ExpiresAt, SessionEndReason.Expired);
        }
    }

    private bool Change(string handle, Func<SessionRecord, SessionRecord> change)
    {
        if (Find(handle) is not { } session)
        {
            return false;
        }

        Write(session, change(session.Row));
        return true;
    }

    private StoredSession? Find(string handle) => SessionHandle.TryParse(handle, out var parsed) && _sessions.TryGetValue(parsed, out var session) && session.Row.ExpiresAt > Now ? session : null;

    private IEnumerable<SessionRecord> Active() => _sessions.Values.Select(session => session.Row).Where(row => row.ExpiresAt > Now).OrderBy(row => row.CreatedAt);

    private IEnumerable<SessionRecord> OfUser(string userId, string? tenantId)
    {
        var user = ClientInput.UserId(userId);
        var tenant = tenantId is null ? null : Tenant(tenantId);
        return Active().Where(row => row.UserId == user && (tenant is null || row.Key.Handle.TenantId == tenant));
    }

    private string Tenant(string tenantId) => _tenants.Contains(tenantId)
        ? tenantId
        : throw new GridException(GridFailure.Refused, $"There is no tenant '{tenantId}': a test makes one by AddTenant().");

    private Task<T> Run<T>(Func<T> work)
    {
        try
        {
            return Task.FromResult(Do(work));
        }
        catch (GridException failure)
        {
            return Task.FromException<T>(failure);
        }
    }

    private T Do<T>(Func<T> work)
    {
        if (IsAway)
        {
            throw new GridException(GridFailure.Unavailable, "Grid is away: the test says so.");
        }

        try
        {
            lock (_changing)
            {
                TellExpired();
                return work();
            }
        }
        catch (Exception refusal) when (refusal is SessionRefusedException or UnstorableValueException)
        {
            throw new GridException(GridFailure.Refused, refusal.Message, refusal);
        }
    }
}
