using Grid.Client;

namespace Grid.GrainDoors;

/// <summary>The published keys of the caller's app.</summary>
[Alias("grid.door.keys")]
internal interface IKeyDoor : IGrainDoor
{
    /// <summary>As a JWKS document.</summary>
    [Alias("read")]
    Task<DoorAnswer<PublishedKeys>> ReadAsync();

    /// <summary>Signs a JWT that is no access token.</summary>
    [Alias("mint")]
    Task<DoorAnswer<string>> MintAsync(string payloadJson, TimeSpan validity, string? issuer, bool useStaticKey);
}
