using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Client;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Holders;
using Grid.WebFront.Sessions;

namespace Grid.WebFront.Front;

/// <summary>The sessions of the front's app, in process: what the core API does, without HTTP.</summary>
internal sealed class InProcessSessions(
    FrontSettings front, IAppDirectory apps, SessionIssuer issuer, SessionVerifier verifier, SessionRefresher refresher, StoredSessions stored, SessionChecks checks,
    Revocations revocations, IGrainFactory grains, IKeyRings keyRings, TrustedClock clock) : IGridSessions
{
    public Task<CreatedSession> CreateAsync(SessionDraft draft, CancellationToken cancellationToken) => GuardAsync(app => app.TenantIds.Contains(draft.TenantId)
        ? issuer.CreateAsync(app, draft, null, ClientRules.Newest)
        : throw new GridException(GridFailure.Refused, $"The app has no tenant '{draft.TenantId}'."));

    /// <inheritdoc cref="SessionIssuer.OpenTicketAsync"/>
    public Task<OpenedTicket?> OpenTicketAsync(string ticket) => GuardAsync(app => issuer.OpenTicketAsync(app, ticket));

    /// <inheritdoc cref="SessionIssuer.RedeemTicketAsync"/>
    public Task<CreatedSession?> RedeemTicketAsync(OpenedTicket ticket) => GuardAsync(app => issuer.RedeemTicketAsync(app, ticket));

    public async ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken)
    {
        try
        {
            return (await verifier.VerifyAsync(await FindAppAsync(), token, checkDatabase: false, ClientRules.Newest)).Check;
        }
        catch (Exception failure) when (IsOutage(failure))
        {
            throw Unavailable(failure);
        }
    }

    public async ValueTask<bool> IsActiveAsync(string handle, CancellationToken cancellationToken)
    {
        try
        {
            return SessionHandle.TryParse(handle, out var parsed) && await verifier.IsActiveAsync(await FindAppAsync(), parsed);
        }
        catch (Exception failure) when (IsOutage(failure))
        {
            throw Unavailable(failure);
        }
    }

    public Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken) => GuardAsync(app => refresher.RefreshAsync(app, token, null, ClientRules.Newest));

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken) =>
        GuardAsync(app => refresher.RegenerateAsync(app, accessToken, payloadJson));

    public async ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken) => await GuardAsync(async app =>
        SessionHandle.TryParse(handle, out var parsed) && await stored.FindAsync(app, parsed) is { } row
            ? new SessionInformation
            {
                Handle = handle,
                UserId = row.UserId,
                TenantId = parsed.TenantId,
                PayloadJson = row.PayloadJson,
                DataJson = row.DataJson,
                CreatedAt = row.CreatedAt,
                ExpiresAt = row.ExpiresAt,
            }
            : null);

    public Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken) => GuardAsync(async app =>
        await grains.UserOf(User(app, tenantId, userId)).ListAsync(tenantId is null, cancellationToken) is { Outcome: SessionOutcome.Ok } listed
            ? Texts(listed.Sessions)
            : throw new StoreUnavailableException("The user's sessions could not be read."));

    public Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken) => GuardAsync(async app =>
        SessionHandle.TryParse(handle, out var parsed) && await stored.UpdateAsync(app, parsed, null, dataJson, ClientRules.Newest) is not null);

    public Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken) => GuardAsync(async app =>
        SessionHandle.TryParse(handle, out var parsed) && await stored.UpdateAsync(app, parsed, payloadJson, null, ClientRules.Newest) is not null);

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

        var (sessions, receipt) = await revocations.RevokeAsync(new RevocationScope.Named { App = app.App, Sessions = named.ToImmutable() }, Reason(reason), Revocations.Front);
        return new GridRevocation(Texts(sessions), receipt);
    });

    public Task<GridRevocation> RevokeTenantAsync(string tenantId, CancellationToken cancellationToken) => GuardAsync(async app =>
    {
        if (!app.TenantIds.Contains(tenantId))
        {
            throw new GridException(GridFailure.Refused, $"The app has no tenant '{tenantId}'.");
        }

        var (sessions, receipt) = await revocations.RevokeAsync(new RevocationScope.Tenant { App = app.App, TenantId = tenantId }, RevocationReason.Requested, Revocations.Front);
        return new GridRevocation(Texts(sessions), receipt);
    });

    public Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken) => GuardAsync(async app =>
    {
        SessionHandle? except = exceptHandle is not null && SessionHandle.TryParse(exceptHandle, out var kept) ? kept : null;
        var (sessions, receipt) = await revocations.RevokeUserAsync(User(app, tenantId, userId), tenantId is null, except, Revocations.Front);
        return new GridRevocation(Texts(sessions), receipt);
    });

    public SessionWatch Watch(string handle) => SessionHandle.TryParse(handle, out var parsed)
        ? checks.Watch(new SessionName(front.App.ToString(), parsed.TenantId, parsed.Id))
        : throw new ArgumentException($"'{handle}' is not a session handle.", nameof(handle));

    public async ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken) => await GuardAsync(async app =>
    {
        var ring = await keyRings.GetAsync(app, cancellationToken);
        var now = clock.GetUtcNow();
        var left = ring.NextChangeAt - now;
        return new PublishedKeys(ring.JwksJson(now), left > TimeSpan.Zero ? left : TimeSpan.Zero);
    });

    private static RevocationReason Reason(GridRevocationReason reason) => reason switch
    {
        GridRevocationReason.SignedOut => RevocationReason.SignedOut,
        GridRevocationReason.Replaced => RevocationReason.Replaced,
        _ => RevocationReason.Requested,
    };

    private static IReadOnlyList<string> Texts(IEnumerable<SessionHandle> handles) => [.. handles.Select(handle => handle.ToString())];

    private static bool IsOutage(Exception failure) => failure is StoreUnavailableException or OrleansException or TimeoutException;

    private static GridException Unavailable(Exception failure) => new(GridFailure.Unavailable, "The store or the cluster is unavailable.", failure);

    private static UserKey User(AppSnapshot app, string? tenantId, string userId) => new(new TenantKey(app.App, tenantId ?? TenantKey.PublicId), userId);

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
    }
}
