using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Abstractions.Watches;
using Grid.Client;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.Revocation.Telemetry;
using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;

namespace Grid.WebFront.Front;

/// <summary>The sessions of the front's app, in process: what the core API does, without HTTP.</summary>
internal sealed class InProcessSessions(
    FrontSettings front, IAppDirectory apps, SessionIssuer issuer, SessionVerifier verifier, SessionRefresher refresher, StoredSessions stored, SessionChecks checks,
    Revocations revocations, IKeyRings keyRings, ServiceJwts jwts, IUserWatches watches, AdmissionControl admission, TrustedClock clock) : IGridSessions
{
    private const int MaxEventsAtOnce = 64;

    // Who watches in this process, as one client.
    private const string InProcess = "";

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public async Task<CreatedSession> CreateAsync(SessionDraft draft, CancellationToken cancellationToken)
    {
        try
        {
            return await GuardAsync(app =>
            {
                var judged = ClientInput.Draft(draft);
                return issuer.CreateAsync(app, judged with { TenantId = Tenant(app, judged.TenantId) }, null, ClientRules.Newest, NoDoor());
            });
        }
        catch (OverloadedException failure)
        {
            throw new GridException(GridFailure.Unavailable, "Too many requests wait for the core behind Grid, and nothing was begun.", failure)
            {
                RetryAfter = TimeSpan.FromSeconds(AdmissionDoor.RetryAfterSeconds()),
            };
        }
    }

    /// <inheritdoc cref="SessionIssuer.OpenTicketAsync"/>
    public Task<OpenedTicket?> OpenTicketAsync(string ticket) => GuardAsync(app => issuer.OpenTicketAsync(app, ticket));

    /// <inheritdoc cref="SessionIssuer.RedeemTicketAsync"/>
    public Task<CreatedSession?> RedeemTicketAsync(OpenedTicket ticket, AdmissionDoor? door = null) => GuardAsync(app => issuer.RedeemTicketAsync(app, ticket, door ?? NoDoor()));

    public async ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken)
    {
        try
        {
            return verifier.Counted(CheckDoor.Front, (await verifier.VerifyAsync(await FindAppAsync(), token, checkDatabase: false, ClientRules.Newest)).Check);
        }
        catch (Exception failure) when (IsOutage(failure))
        {
            verifier.CountUnavailable(CheckDoor.Front);
            throw Unavailable(failure);
        }
    }

    public async ValueTask<bool> IsActiveAsync(string handle, CancellationToken cancellationToken)
    {
        try
        {
            return verifier.Counted(CheckDoor.Front, SessionHandle.TryParse(handle, out var parsed) && await verifier.IsActiveAsync(await FindAppAsync(), parsed));
        }
        catch (Exception failure) when (IsOutage(failure))
        {
            verifier.CountUnavailable(CheckDoor.Front);
            throw Unavailable(failure);
        }
    }

    public Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken) => GuardAsync(app => refresher.RefreshAsync(app, token, null, ClientRules.Newest));

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken) =>
        GuardAsync(app => refresher.RegenerateAsync(app, accessToken, ClientInput.JsonObject(payloadJson, "The payload")));

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, CancellationToken cancellationToken) =>
        GuardAsync(app => refresher.RegenerateAsync(app, accessToken, payloadJson: null));

    public async ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken) => await GuardAsync(async app =>
        SessionHandle.TryParse(handle, out var parsed) && await stored.FindAsync(app, parsed) is { } row
            ? row.ToInformation()
            : null);

    public Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken) => GuardAsync<IReadOnlyList<string>>(async app =>
        (await stored.ListAsync(User(app, tenantId, userId), tenantId is null)).ToTexts());

    public Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken) => GuardAsync(async app =>
        SessionHandle.TryParse(handle, out var parsed) && await stored.UpdateAsync(app, parsed, null, ClientInput.JsonObject(dataJson, "The data"), ClientRules.Newest) is not null);

    public Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken) => GuardAsync(async app =>
        SessionHandle.TryParse(handle, out var parsed) && await stored.ChangePayloadAsync(app, parsed, ClientInput.JsonObject(payloadJson, "The payload"), replaces: true) is not null);

    public Task<string?> MergePayloadAsync(string handle, string changesJson, CancellationToken cancellationToken) => GuardAsync(async app =>
        SessionHandle.TryParse(handle, out var parsed) && await stored.ChangePayloadAsync(app, parsed, ClientInput.JsonObject(changesJson, "The changes"), replaces: false) is { } session
            ? session.PayloadJson
            : null);

    public Task<string> CreateJwtAsync(JwtDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(draft);
        return GuardAsync(app => jwts.MintAsync(app, draft.PayloadJson, draft.Validity, draft.Issuer, draft.UseStaticSigningKey));
    }

    public Task<GridRevocation> RevokeAsync(string handle, GridRevocationReason reason, CancellationToken cancellationToken) => RevokeAsync([handle], reason, cancellationToken);

    public Task<GridRevocation> RevokeAsync(IReadOnlyCollection<string> sessionHandles, GridRevocationReason reason, CancellationToken cancellationToken) => GuardAsync(async app =>
    {
        var named = ImmutableArray.CreateBuilder<SessionHandle>(sessionHandles.Count);
        foreach (var text in sessionHandles)
        {
            if (SessionHandle.TryParse(text, out var parsed))
            {
                named.Add(parsed);
            }
        }

        if (named.Count == 0)
        {
            return new GridRevocation([], RevocationReceipt.None);
        }

        return (await revocations.RevokeAsync(new RevocationScope.Named { App = app.App, Sessions = named.ToImmutable() }, reason.ToReason(), Revocations.Front)).ToRevocation();
    });

    public Task<GridRevocation> RevokeTenantAsync(string tenantId, CancellationToken cancellationToken) => GuardAsync(async app => (await revocations.RevokeAsync(
        new RevocationScope.Tenant { App = app.App, TenantId = Tenant(app, tenantId) }, RevocationReason.Requested, Revocations.Front)).ToRevocation());

    public Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken) => GuardAsync(async app =>
    {
        SessionHandle kept = default;
        if (exceptHandle is not null && !SessionHandle.TryParse(exceptHandle, out kept))
        {
            // Taken for "none" it would end the session that was to live on.
            throw new GridException(GridFailure.Refused, "The excepted session's handle is none.");
        }

        return (await revocations.RevokeUserAsync(User(app, tenantId, userId), tenantId is null, exceptHandle is null ? null : kept, Revocations.Front)).ToRevocation();
    });

    public SessionWatch Watch(string handle) => SessionHandle.TryParse(handle, out var parsed)
        ? checks.Watch(new SessionName(front.App.ToString(), parsed.TenantId, parsed.Id))
        : throw new ArgumentException($"'{handle}' is not a session handle.", nameof(handle));

    public async IAsyncEnumerable<SessionEvent> WatchUserAsync(string userId, string? tenantId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var watch = await OpenWatchAsync(userId, tenantId, cancellationToken);
        while (true)
        {
            // The tenant or the whole app may have been removed: nothing more would come, and that is said.
            var read = await watch.ReadAsync(MaxEventsAtOnce, LookEvery, cancellationToken) ?? throw new GridException(GridFailure.Unavailable, "The silo stops.");
            foreach (var notice in read)
            {
                yield return notice.ToEvent();
            }

            if (read.Count == 0)
            {
                await StillThereAsync(tenantId);
            }
        }
    }

    public async ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken) =>
        await GuardAsync(async app => (await keyRings.GetAsync(app, cancellationToken)).ToPublished(clock.GetUtcNow()));

    private async Task<IUserWatch> OpenWatchAsync(string userId, string? tenantId, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await GuardAsync(async app =>
                {
                    var user = User(app, tenantId, userId);
                    var (watch, refusal) = await watches.OpenAsync(new WatchedUser(app.App, user.UserId), tenantId, InProcess, cancellationToken);
                    return watch ?? throw new SessionRefusedException(refusal!);
                });
            }
            catch (GridException outage) when (outage.Reason == GridFailure.Unavailable)
            {
                await Task.Delay(LookAgain, cancellationToken);
            }
        }
    }

    private async Task StillThereAsync(string? tenantId)
    {
        try
        {
            var app = await FindAppAsync();
            _ = tenantId is null ? null : Tenant(app, tenantId);
        }
        catch (Exception failure) when (IsOutage(failure))
        {
            // It goes on.
        }
    }

    // The application limits its own work. How many wait for the core behind Grid is bounded for all together.
    private AdmissionDoor NoDoor() => new(admission, RequestClass.None, Asker.Of(front.App));

    private static bool IsOutage(Exception failure) => failure is StoreUnavailableException or OrleansException or TimeoutException;

    private static GridException Unavailable(Exception failure) => new(GridFailure.Unavailable, "The store or the cluster is unavailable.", failure);

    private static UserKey User(AppSnapshot app, string? tenantId, string userId) => new(new TenantKey(app.App, tenantId is null ? TenantKey.PublicId : Tenant(app, tenantId)), ClientInput.UserId(userId));

    private static string Tenant(AppSnapshot app, string tenantId) =>
        app.TenantIds.Contains(tenantId) ? tenantId : throw new GridException(GridFailure.Refused, $"The app has no tenant '{tenantId}'.");

    private async ValueTask<AppSnapshot> FindAppAsync() => await apps.FindAsync(front.App, CancellationToken.None)
        ?? throw new GridException(GridFailure.Refused, $"The front serves the app '{front.App}', which does not exist: create it through the core API, or change Grid:Front:App.");

    private async Task<T> GuardAsync<T>(Func<AppSnapshot, Task<T>> work)
    {
        try
        {
            return await work(await FindAppAsync());
        }
        catch (Exception failure) when (IsOutage(failure))
        {
            throw Unavailable(failure);
        }
        catch (SessionRefusedException refusal)
        {
            throw new GridException(refusal.TokenLength is null ? GridFailure.Refused : GridFailure.TokenTooLong, refusal.Message, refusal);
        }
        catch (UnstorableValueException refusal)
        {
            throw new GridException(GridFailure.Refused, refusal.Message, refusal);
        }
    }
}
