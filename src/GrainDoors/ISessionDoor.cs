using Grid.Client;

namespace Grid.GrainDoors;

/// <summary>Single sessions of the caller's app.</summary>
[Alias("grid.door.sessions")]
internal interface ISessionDoor : IGrainDoor
{
    /// <summary>Stored before it is answered.</summary>
    [Alias("create")]
    Task<DoorAnswer<CreatedSession>> CreateAsync(SessionDraft draft);

    /// <summary>Checks an access token.</summary>
    [Alias("verify")]
    Task<DoorAnswer<TokenCheck>> VerifyAsync(TokenToCheck token);

    /// <summary>Exchanges a refresh token; one that was used before ends its session, which is then confirmed as a revocation is.</summary>
    [Alias("refresh"), ResponseTimeout(Waits.ForConfirmation)]
    Task<DoorAnswer<TokenRefresh>> RefreshAsync(TokenToRefresh token);

    /// <summary>Stores a payload and makes an access token that carries it; no value: no such session.</summary>
    [Alias("regenerate")]
    Task<DoorAnswer<RegeneratedSession>> RegenerateAsync(string accessToken, string payloadJson);

    /// <summary>Makes an access token that carries the payload as it is stored; no value: no such session.</summary>
    [Alias("reissue")]
    Task<DoorAnswer<RegeneratedSession>> ReissueAsync(string accessToken);

    /// <summary>What is stored; no value: no such session.</summary>
    [Alias("find")]
    Task<DoorAnswer<SessionInformation>> FindAsync(string handle);

    /// <summary>Replaces what is not null; false: no such session.</summary>
    [Alias("update")]
    Task<DoorAnswer<bool>> UpdateAsync(string handle, string? payloadJson, string? dataJson);

    /// <summary>Merges into the payload or, but for what the front made, replaces it; the payload afterwards, no value: no such session.</summary>
    [Alias("change-payload")]
    Task<DoorAnswer<string>> ChangePayloadAsync(string handle, string changesJson, bool replaces);

    /// <summary>Ends sessions: answered when they are refused everywhere.</summary>
    [Alias("revoke"), ResponseTimeout(Waits.ForConfirmation)]
    Task<DoorAnswer<GridRevocation>> RevokeAsync(string[] handles, GridRevocationReason reason);

    /// <summary>Ends all sessions of a tenant: answered when they are refused everywhere.</summary>
    [Alias("revoke-tenant"), ResponseTimeout(Waits.ForConfirmation)]
    Task<DoorAnswer<GridRevocation>> RevokeTenantAsync(string tenantId);
}

/// <summary>How long Orleans lets calls wait.</summary>
internal static class Waits
{
    /// <summary>The longest wait for a confirmation that a client may choose, so that its own limit is the one that counts.</summary>
    public const string ForConfirmation = "01:00:00";
}
