namespace Grid.Client;

/// <summary>A session to be created.</summary>
public sealed record SessionDraft
{
    /// <summary>The user it belongs to: at most 128 characters, stored exactly as given.</summary>
    public required string UserId { get; init; }

    /// <summary>The tenant it belongs to; it must exist. Default <c>public</c>.</summary>
    public string TenantId { get; init; } = GridClientDefaults.TenantId;

    /// <summary>
    /// The claims for the access token: a JSON object of at most 20,480 bytes, or about 2,500 in cookie mode. Browsers can read it.
    /// </summary>
    public string PayloadJson { get; init; } = "{}";

    /// <summary>Data that only back ends see: a JSON object that never leaves the store.</summary>
    public string DataJson { get; init; } = "{}";

    /// <summary>Whether to bind its access tokens to an anti-CSRF token.</summary>
    public bool WithAntiCsrf { get; init; }

    /// <summary>Whether a rotating key signs its access tokens; otherwise the app's static key.</summary>
    public bool UseDynamicSigningKey { get; init; } = true;

    /// <summary>Leaves out the claims and the data.</summary>
    public override string ToString() => $"a session of tenant {TenantId}";
}
