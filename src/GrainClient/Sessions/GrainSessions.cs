using System.Runtime.CompilerServices;
using Grid.Client;
using Grid.Client.Live;
using Grid.Revocation.Holders;
using Grid.Revocation.Telemetry;
using Microsoft.Extensions.Logging;

namespace Grid.GrainClient.Sessions;

/// <summary>Sessions by the silos' doors.</summary>
internal sealed class GrainSessions(DoorCalls doors, ServiceHolder live, TimeProvider clock) : IGridSessions
{
    private const int LongestText = 1024 * 1024;
    private const int MostHandles = 100_000;

    private readonly LocalChecks _checks = new(
        live,
        async cancellationToken =>
        {
            var keys = Needed(await doors.KeysAsync(door => door.ReadAsync(), cancellationToken));
            return (keys.Json.ToArray(), keys.MaxAge);
        },
        clock);

    /// <summary>This service as a holder over Orleans.</summary>
    public static ServiceHolder Holder(DoorCalls doors, TimeSpan timeout, HolderMetrics metrics, ILogger<ServiceHolder> logger) => new(
        holder => new RemoteHolderStore(
            cancellationToken => HolderConnection.OpenAsync(holder, async cancel => await ClientTunnel.OpenAsync(doors, cancel), cancellationToken), timeout),
        metrics,
        logger);

    public async Task<CreatedSession> CreateAsync(SessionDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(draft);
        Sendable(draft.UserId);
        Sendable(draft.TenantId);
        Sendable(draft.PayloadJson);
        Sendable(draft.DataJson);
        return Needed(await doors.SessionsAsync(door => door.CreateAsync(draft), cancellationToken));
    }

    public ValueTask<TokenCheck> VerifyAsync(TokenToCheck token, CancellationToken cancellationToken) => _checks.VerifyAsync(token, cancellationToken);

    public ValueTask<bool> IsActiveAsync(string handle, CancellationToken cancellationToken) => live.AcceptsAsync(handle);

    // A token that was used before ends its session.
    public async Task<TokenRefresh> RefreshAsync(TokenToRefresh token, CancellationToken cancellationToken)
    {
        var refresh = Needed(await doors.EndAsync(door => door.RefreshAsync(token), cancellationToken));
        return refresh with { Verdict = Known(refresh.Verdict) };
    }

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, string payloadJson, CancellationToken cancellationToken) =>
        doors.SessionsAsync(door => door.RegenerateAsync(accessToken, Sendable(payloadJson)), cancellationToken);

    public Task<RegeneratedSession?> RegenerateAsync(string accessToken, CancellationToken cancellationToken) =>
        doors.SessionsAsync(door => door.ReissueAsync(accessToken), cancellationToken);

    public async ValueTask<SessionInformation?> FindAsync(string handle, CancellationToken cancellationToken) =>
        await doors.SessionsAsync(door => door.FindAsync(handle), cancellationToken);

    public async Task<IReadOnlyList<string>> ListAsync(string userId, string? tenantId, CancellationToken cancellationToken) =>
        Needed(await doors.UsersAsync(door => door.ListAsync(Sendable(userId), tenantId), cancellationToken));

    public Task<bool> UpdateDataAsync(string handle, string dataJson, CancellationToken cancellationToken) =>
        doors.SessionsAsync(door => door.UpdateAsync(handle, null, Sendable(dataJson)), cancellationToken);

    public async Task<bool> UpdatePayloadAsync(string handle, string payloadJson, CancellationToken cancellationToken) =>
        await doors.SessionsAsync(door => door.ChangePayloadAsync(handle, Sendable(payloadJson), replaces: true), cancellationToken) is not null;

    public async Task<string?> MergePayloadAsync(string handle, string changesJson, CancellationToken cancellationToken) =>
        await doors.SessionsAsync(door => door.ChangePayloadAsync(handle, Sendable(changesJson), replaces: false), cancellationToken);

    public async Task<string> CreateJwtAsync(JwtDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(draft);
        Sendable(draft.PayloadJson);
        return Needed(await doors.KeysAsync(door => door.MintAsync(draft.PayloadJson, draft.Validity, draft.Issuer, draft.UseStaticSigningKey), cancellationToken));
    }

    public Task<GridRevocation> RevokeAsync(string handle, GridRevocationReason reason, CancellationToken cancellationToken) => RevokeAsync([handle], reason, cancellationToken);

    public async Task<GridRevocation> RevokeAsync(IReadOnlyCollection<string> sessionHandles, GridRevocationReason reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sessionHandles);
        string[] named = [.. sessionHandles];
        if (named.Length > MostHandles)
        {
            throw new GridException(GridFailure.Refused, $"A call may name {MostHandles} sessions at most; this one names {named.Length}.");
        }

        return Needed(await doors.EndAsync(door => door.RevokeAsync(named, reason), cancellationToken));
    }

    public async Task<GridRevocation> RevokeTenantAsync(string tenantId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        return Needed(await doors.EndAsync(door => door.RevokeTenantAsync(tenantId), cancellationToken));
    }

    public async Task<GridRevocation> RevokeUserAsync(string userId, string? tenantId, string? exceptHandle, CancellationToken cancellationToken) =>
        Needed(await doors.EndOfUserAsync(door => door.RevokeAsync(Sendable(userId), tenantId, exceptHandle), cancellationToken));

    public IAsyncEnumerable<SessionEvent> WatchUserAsync(string userId, string? tenantId, CancellationToken cancellationToken) =>
        new UserWatching(doors, clock).WatchAsync(userId, tenantId, cancellationToken);

    public SessionWatch Watch(string handle) => live.Watch(handle);

    public ValueTask<PublishedKeys> ReadKeysAsync(CancellationToken cancellationToken) => _checks.ReadKeysAsync(cancellationToken);

    /// <summary>A door takes less, and says what; what is much larger would not arrive, and end the connection.</summary>
    private static string Sendable(string text, [CallerArgumentExpression(nameof(text))] string? name = null) => WholeText.Require(text, name).Length > LongestText
        ? throw new GridException(GridFailure.Refused, $"{name} may have {LongestText} characters at most; this one has {text.Length}.")
        : text;

    private static T Needed<T>(T? value)
        where T : class => value ?? throw Unknown("is empty");

    private static SessionVerdict Known(SessionVerdict verdict) => verdict is >= SessionVerdict.Ok and <= SessionVerdict.TokenTheft ? verdict : throw Unknown($"is {(int)verdict}");

    private static GridException Unknown(string what) => new(GridFailure.Unavailable, $"Grid's answer {what}, which this client does not understand: update GridSessions.GrainClient.");
}
