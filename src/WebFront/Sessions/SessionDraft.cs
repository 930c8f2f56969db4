namespace Grid.WebFront.Sessions;

/// <summary>A session that a caller asks for, before it has a handle and tokens.</summary>
public sealed record SessionDraft
{
    /// <summary>The tenant it belongs to; it must exist.</summary>
    public required string TenantId { get; init; }

    /// <summary>The user it belongs to.</summary>
    public required string UserId { get; init; }

    /// <summary>The claims that its access tokens carry: one JSON object without protected names.</summary>
    public string PayloadJson { get; init; } = "{}";

    /// <summary>Data that is kept in the store only: one JSON object.</summary>
    public string DataJson { get; init; } = "{}";

    /// <summary>Whether a rotating key signs its access tokens; else the app's static one.</summary>
    public bool UseDynamicKey { get; init; } = true;

    /// <summary>Not the claims and data.</summary>
    public override string ToString() => $"a session of tenant {TenantId}";
}
