using Grid.Client;

namespace Grid.GrainDoors;

/// <summary>A user's sessions in the caller's app.</summary>
[Alias("grid.door.users")]
internal interface IUserDoor : IGrainDoor
{
    /// <summary>Handles of those that live, oldest first; in one tenant, or (null) in all.</summary>
    [Alias("list")]
    Task<DoorAnswer<string[]>> ListAsync(string userId, string? tenantId);

    /// <summary>Ends all but the excepted one: answered when they are refused everywhere.</summary>
    [Alias("revoke"), ResponseTimeout(Waits.ForConfirmation)]
    Task<DoorAnswer<GridRevocation>> RevokeAsync(string userId, string? tenantId, string? exceptHandle);
}
