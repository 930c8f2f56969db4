using System.Collections.Concurrent;

namespace Grid.TestKit.History;

/// <summary>What clients saw of the whole installation. For any number of threads; the order in which calls are added says nothing.</summary>
public sealed class SessionHistory
{
    private readonly ConcurrentQueue<MadeSession> _made = new();
    private readonly ConcurrentQueue<Verification> _verifications = new();
    private readonly ConcurrentQueue<RefreshCall> _refreshes = new();
    private readonly ConcurrentQueue<RevokeCall> _revocations = new();

    /// <summary>How long the previous refresh token may still be shown.</summary>
    public TimeSpan RefreshGrace { get; init; } = TimeSpan.FromSeconds(30);

    public IReadOnlyCollection<MadeSession> Made => _made;

    public IReadOnlyCollection<Verification> Verifications => _verifications;

    public IReadOnlyCollection<RefreshCall> Refreshes => _refreshes;

    public IReadOnlyCollection<RevokeCall> Revocations => _revocations;

    public void Add(MadeSession made) => _made.Enqueue(made);

    public void Add(Verification verification) => _verifications.Enqueue(verification);

    public void Add(RefreshCall refresh) => _refreshes.Enqueue(refresh);

    public void Add(RevokeCall revocation) => _revocations.Enqueue(revocation);
}
