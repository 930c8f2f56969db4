using System.Text.Json.Serialization;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;

namespace Grid.Revocation.Relay.Wire;

/// <summary>A <see cref="RevocationEntry"/> as it is sent to services: app and tenant are said once.</summary>
internal sealed record HolderEntry
{
    public required long Position { get; init; }

    public required RevocationKind Kind { get; init; }

    public required string App { get; init; }

    public string? Tenant { get; init; }

    /// <summary>The UUID of a handle of this app and tenant.</summary>
    [JsonPropertyName("session")]
    public Guid? Id { get; init; }

    public string? UserId { get; init; }

    public long Epoch { get; init; }

    /// <summary>The UUID of a handle of this app and tenant.</summary>
    [JsonPropertyName("kept")]
    public Guid? KeptId { get; init; }

    public string? Kid { get; init; }

    public static HolderEntry Of(RevocationEntry entry) => new()
    {
        Position = entry.Position,
        Kind = entry.Kind,
        App = entry.App,
        Tenant = entry.Tenant,
        Id = entry.Session?.Id,
        UserId = entry.UserId,
        Epoch = entry.Epoch,
        KeptId = entry.Kept?.Id,
        Kid = entry.Kid,
    };

    public RevocationEntry ToEntry() => new()
    {
        Position = Position,
        Kind = Kind,
        App = App,
        Tenant = Tenant,
        Session = Name(Id),
        UserId = UserId,
        Epoch = Epoch,
        Kept = Name(KeptId),
        Kid = Kid,
    };

    private SessionName? Name(Guid? id) => id is { } one && Tenant is { } tenant ? new SessionName(App, tenant, one) : null;
}
