using Grid.Client;

namespace Grid.GrainClient;

/// <summary>Whose sessions a service means, and how long it waits.</summary>
public class GridGrainOptions
{
    /// <summary>The app: <c>shop</c>, or <c>shop@domain</c> for one of a connection URI domain. Default <c>public</c>.</summary>
    public string App { get; set; } = "public";

    /// <summary>A key of the core API that the app takes, if it asks for one. It goes with each call.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Longest wait for an answer, and for a sign that the silo lives while a revocation waits. Default 10 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Longest wait for a revocation's acknowledgement; then <see cref="GridFailure.StillWaiting"/>. Default 90 s, more than the 75.25 s
    /// that the longest lease can take when a process that accepts tokens has died. In a healthy system it takes milliseconds.
    /// </summary>
    public TimeSpan RevocationTimeout { get; set; } = TimeSpan.FromSeconds(90);
}
