using System.Collections.Immutable;
using Grid.Abstractions.Sessions;
using Grid.Client;
using Grid.GrainDoors;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Telemetry;
using Grid.Tokens.Access;
using Grid.WebFront.Admission;
using Grid.WebFront.Sessions;
using Orleans.Concurrency;

namespace Grid.WebFront.GrainDoors;

/// <summary>Single sessions, for services that are Orleans clients: what the core API does, by the same code.</summary>
/// <remarks>Reentrant: a revocation waits here for its confirmation, and others go on meanwhile.</remarks>
[StatelessWorker, Reentrant, GrainType(DoorNames.Sessions)]
internal sealed class SessionDoor(
    DoorGate gate, SessionIssuer issuer, SessionVerifier verifier, SessionRefresher refresher, StoredSessions stored, Revocations revocations) : Grain, ISessionDoor
{
    private const int MaxOthers = 7;
    private static readonly TimeSpan MaxJoinWithin = TimeSpan.FromSeconds(5);

    public Task<string> PingAsync() => Task.FromResult(RuntimeIdentity);

    public Task<DoorAnswer<CreatedSession>> CreateAsync(SessionDraft draft) => gate.AnswerAsync(RequestClass.None, async call =>
    {
        using var door = gate.Enter(RequestClass.Create, call);
        var judged = ClientInput.Draft(draft);
        return (CreatedSession?)await issuer.CreateAsync(call.App, judged with { TenantId = await gate.TenantAsync(call.App, judged.TenantId) }, null, ClientRules.Newest, door);
    });

    public Task<DoorAnswer<TokenCheck>> VerifyAsync(TokenToCheck token) => gate.AnswerAsync(RequestClass.Verify, async call =>
        verifier.Counted(CheckDoor.Orleans, (await verifier.VerifyAsync(call.App, Judged(token), checkDatabase: false, ClientRules.Newest)).Check));

    public Task<DoorAnswer<TokenRefresh>> RefreshAsync(TokenToRefresh token) => gate.AnswerAsync(RequestClass.Refresh, async call =>
    {
        if (token.Others is { Count: > MaxOthers })
        {
            throw new SessionRefusedException($"At most {MaxOthers} other refresh tokens are taken");
        }

        if (token.MaxAccessTokenLength is < 0 or > AccessTokenSize.MaxLength)
        {
            throw new SessionRefusedException($"MaxAccessTokenLength must be between 1 and {AccessTokenSize.MaxLength} characters, or 0");
        }

        if (token.JoinWithin < TimeSpan.Zero || token.JoinWithin > MaxJoinWithin)
        {
            throw new SessionRefusedException($"JoinWithin must be between zero and {MaxJoinWithin.TotalSeconds:0} s");
        }

        foreach (var other in token.Others ?? [])
        {
            DoorInput.Text(other, "Another refresh token");
        }

        var judged = token with { RefreshToken = DoorInput.Text(token.RefreshToken, "The refresh token") ?? "", AntiCsrf = DoorInput.Text(token.AntiCsrf, "AntiCsrf") };
        return (TokenRefresh?)await refresher.RefreshAsync(call.App, judged, null, ClientRules.Newest);
    });

    public Task<DoorAnswer<RegeneratedSession>> RegenerateAsync(string accessToken, string payloadJson) => gate.AnswerAsync(RequestClass.Refresh, call =>
        refresher.RegenerateAsync(call.App, DoorInput.Text(accessToken, "The access token") ?? "", ClientInput.JsonObject(payloadJson, "The payload")));

    public Task<DoorAnswer<RegeneratedSession>> ReissueAsync(string accessToken) => gate.AnswerAsync(RequestClass.Refresh, call =>
        refresher.RegenerateAsync(call.App, DoorInput.Text(accessToken, "The access token") ?? "", payloadJson: null));

    public Task<DoorAnswer<SessionInformation>> FindAsync(string handle) => gate.AnswerAsync<SessionInformation>(RequestClass.List, async call =>
        DoorInput.TryFindHandle(call.App, handle, out var parsed) && await stored.FindAsync(call.App, parsed) is { } row
            ? row.ToInformation()
            : null);

    public Task<DoorAnswer<bool>> UpdateAsync(string handle, string? payloadJson, string? dataJson) => gate.AnswerAsync(RequestClass.Refresh, async call =>
    {
        var payload = payloadJson is null ? null : ClientInput.JsonObject(payloadJson, "The payload");
        var data = dataJson is null ? null : ClientInput.JsonObject(dataJson, "The data");
        return DoorInput.TryFindHandle(call.App, handle, out var parsed) && await stored.UpdateAsync(call.App, parsed, payload, data, ClientRules.Newest) is not null;
    });

    public Task<DoorAnswer<string>> ChangePayloadAsync(string handle, string changesJson, bool replaces) => gate.AnswerAsync<string>(RequestClass.Refresh, async call =>
    {
        var changes = ClientInput.JsonObject(changesJson, replaces ? "The payload" : "The changes");
        return DoorInput.TryFindHandle(call.App, handle, out var parsed) && await stored.ChangePayloadAsync(call.App, parsed, changes, replaces) is { } session
            ? session.PayloadJson
            : null;
    });

    public Task<DoorAnswer<GridRevocation>> RevokeAsync(string[] handles, GridRevocationReason reason) => gate.AnswerAsync<GridRevocation>(RequestClass.Revoke, async call =>
    {
        if (handles is { Length: > DoorInput.MaxHandles })
        {
            throw new SessionRefusedException($"At most {DoorInput.MaxHandles} sessions can be named in a call");
        }

        var named = ImmutableArray.CreateBuilder<SessionHandle>();
        foreach (var text in handles ?? [])
        {
            if (DoorInput.TryReadHandle(call.App, text, out var handle))
            {
                named.Add(handle);
            }
        }

        return named.Count == 0
            ? new GridRevocation([], RevocationReceipt.None)
            : (await revocations.RevokeAsync(new RevocationScope.Named { App = call.App.App, Sessions = named.ToImmutable() }, reason.ToReason(), call.Actor)).ToRevocation();
    });

    public Task<DoorAnswer<GridRevocation>> RevokeTenantAsync(string tenantId) => gate.AnswerAsync<GridRevocation>(RequestClass.Revoke, async call => (await revocations.RevokeAsync(
        new RevocationScope.Tenant { App = call.App.App, TenantId = await gate.TenantAsync(call.App, tenantId) }, RevocationReason.Requested, call.Actor)).ToRevocation());

    private static TokenToCheck Judged(TokenToCheck token) =>
        token with { AccessToken = DoorInput.Text(token.AccessToken, "The access token") ?? "", AntiCsrf = DoorInput.Text(token.AntiCsrf, "AntiCsrf") };
}
