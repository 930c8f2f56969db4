using Grid.Abstractions.Apps;

namespace Grid.Silo.Settings;

/// <summary>Session settings of every app that sets none of its own. Section <c>Grid:Session</c>. Ranges: <see cref="SessionSettings"/>.</summary>
internal sealed class SessionLifetimeOptions
{
    public const string Section = "Grid:Session";

    /// <summary>Default 01:00:00.</summary>
    public TimeSpan? AccessTokenValidity { get; set; }

    /// <summary>Default 100.00:00:00.</summary>
    public TimeSpan? RefreshTokenValidity { get; set; }

    /// <summary>Default 7.00:00:00; at least 01:00:00.</summary>
    public TimeSpan? DynamicKeyUpdateInterval { get; set; }

    /// <summary>Fraction; default 0.05, 0 … 0.25.</summary>
    public double? AccessTokenValidityJitter { get; set; }

    /// <summary>Default 00:00:30, 0 … 00:05:00.</summary>
    public TimeSpan? RefreshRotationGrace { get; set; }

    /// <summary>TokenTheft (default) or Unauthorised.</summary>
    public RecentReuseAnswer? RecentReuseAnswer { get; set; }

    /// <summary>Strict (default) or Bounded.</summary>
    public StaleBehaviour? StaleBehaviour { get; set; }
}
