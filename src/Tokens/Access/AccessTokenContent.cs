namespace Grid.Tokens.Access;

/// <summary>Formats of access tokens; the number is the header's <c>version</c>.</summary>
/// <remarks>Source: <c>docs/protocol/core.md</c>, "Versions" and "Tokens".</remarks>
public enum AccessTokenVersion
{
    /// <summary>CDI 2.21.</summary>
    V3 = 3,

    /// <summary>CDI 3.x: adds <c>tId</c>.</summary>
    V4 = 4,

    /// <summary>CDI 4.0 and later: adds <c>rsub</c>.</summary>
    V5 = 5,
}

/// <summary>Content of an access token.</summary>
public sealed record AccessTokenContent
{
    /// <summary>Its format.</summary>
    public required AccessTokenVersion Version { get; init; }

    /// <summary><c>sub</c>.</summary>
    public required string UserId { get; init; }

    /// <summary><c>iat</c>, whole seconds.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary><c>exp</c>, whole seconds.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary><c>tId</c>, always the one in <see cref="SessionHandle"/>; older formats do not contain it.</summary>
    public required string TenantId { get; init; }

    /// <summary><c>rsub</c>; the user id in older formats, which do not contain it.</summary>
    public required string RecipeUserId { get; init; }

    /// <summary><c>sessionHandle</c>: whose token it is.</summary>
    public required string SessionHandle { get; init; }

    /// <summary>64 hex digits.</summary>
    public required string RefreshTokenHash1 { get; init; }

    /// <summary>64 hex digits, or null.</summary>
    public string? ParentRefreshTokenHash1 { get; init; }

    /// <summary><c>antiCsrfToken</c>, if it is bound to one.</summary>
    public string? AntiCsrfToken { get; init; }

    /// <summary>The user's claims: one JSON object, with each value's original text.</summary>
    public required string PayloadJson { get; init; }

    /// <summary>Neither user nor claims.</summary>
    public override string ToString() => $"[access token of session {SessionHandle}]";
}
