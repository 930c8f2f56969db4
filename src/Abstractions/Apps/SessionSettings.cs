namespace Grid.Abstractions.Apps;

/// <summary>The effective session settings of an app. Ranges: <c>docs/settings.md</c>.</summary>
[GenerateSerializer, Immutable, Alias("grid.session-settings")]
public sealed record SessionSettings
{
    /// <summary>Default 1 hour; 1 s … 86,400,000 s.</summary>
    [Id(0)] public TimeSpan AccessTokenValidity { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Default 100 days. Longer than <see cref="AccessTokenValidity"/>.</summary>
    [Id(1)] public TimeSpan RefreshTokenValidity { get; init; } = TimeSpan.FromDays(100);

    /// <summary>How long a dynamic signing key signs before the next one takes over. Default 7 days; at least 1 hour.</summary>
    [Id(2)] public TimeSpan DynamicKeyUpdateInterval { get; init; } = TimeSpan.FromDays(7);

    /// <summary>A new access token is valid for <c>validity × (1 − U[0, jitter])</c>. Default 0.05; 0 … 0.25.</summary>
    [Id(3)] public double AccessTokenValidityJitter { get; init; } = 0.05;

    /// <summary>How long the previous refresh token still rotates. Default 30 s; 0 … 300 s.</summary>
    [Id(4)] public TimeSpan RefreshRotationGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What clients from CDI 5.6 on are told when a recently replaced token is used again. The session is revoked either way.</summary>
    [Id(5)] public RecentReuseAnswer RecentReuseAnswer { get; init; } = RecentReuseAnswer.TokenTheft;

    /// <summary>Whether valid tokens are accepted while their sessions cannot be checked.</summary>
    [Id(6)] public StaleBehaviour StaleBehaviour { get; init; } = StaleBehaviour.Strict;

    /// <summary>Longest lifetime of a session since its creation, however often it is refreshed. Default 36,600 days, in effect unlimited; at least 1 minute.</summary>
    [Id(7)] public TimeSpan MaxLifetime { get; init; } = TimeSpan.FromDays(36_600);
}

/// <summary>Values of <c>stale_session_behaviour</c>, ours.</summary>
public enum StaleBehaviour
{
    /// <summary>Answer 503: nothing that may have been revoked is accepted.</summary>
    Strict = 0,

    /// <summary>Accept them until they expire: an outage of the store does not stop the application, but a revocation may take effect late.</summary>
    Bounded = 1,
}

/// <summary>Values of <c>recent_token_reuse_behaviour</c>.</summary>
public enum RecentReuseAnswer
{
    /// <summary><c>TOKEN_THEFT_DETECTED</c>.</summary>
    TokenTheft = 0,

    /// <summary><c>UNAUTHORISED</c> with the reuse subtype.</summary>
    Unauthorised = 1,
}
