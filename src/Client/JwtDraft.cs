namespace Grid.Client;

/// <summary>A JWT to sign, for one service to show to another.</summary>
public sealed record JwtDraft
{
    /// <summary>Its claims, one JSON object. <c>iss</c>, <c>exp</c> and <c>iat</c> count if they are there, and are added if not. Default none.</summary>
    public string PayloadJson { get; init; } = "{}";

    /// <summary>From now to <c>exp</c>, in whole seconds; from a second to a hundred years. Nobody can revoke it before.</summary>
    public required TimeSpan Validity { get; init; }

    /// <summary>
    /// <c>iss</c>: where verifiers find the keys, for a front's keys its <c>ApiDomain</c> and base path (<c>https://api.example.com/auth</c>).
    /// Default none.
    /// </summary>
    public string? Issuer { get; init; }

    /// <summary>
    /// Whether the app's static key signs (the default), or the rotating one, which is published for two access token lives after its last
    /// use.
    /// </summary>
    public bool UseStaticSigningKey { get; init; } = true;

    /// <summary>Leaves out the payload.</summary>
    public override string ToString() => "[JWT draft]";
}
