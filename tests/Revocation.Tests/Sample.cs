using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;

namespace Grid.Revocation.Tests;

/// <summary>Sessions, entries and rows for tests: app <c>public</c>, tenant <c>t</c>, user <c>anna</c> unless said otherwise.</summary>
internal static class Sample
{
    public static readonly LeaseTerms Terms = new(TimeSpan.FromSeconds(10));

    public static SessionName Name(int number = 1, string app = "public", string tenant = "t") => new(app, tenant, Id(number));

    public static Guid Id(int number) => new(number, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);

    public static FoundSession Found(SessionName name, string user = "anna", long epoch = 0, DateTimeOffset? expires = null, object? details = null) =>
        new() { Name = name, UserId = user, Epoch = epoch, ExpiresAt = expires ?? DateTimeOffset.MaxValue, Details = details };

    public static RevocationEntry Session(SessionName name) => new()
    {
        Position = 1,
        Kind = RevocationKind.Session,
        App = name.App,
        Tenant = name.Tenant,
        Session = name,
    };

    public static RevocationEntry User(long epoch, SessionName? kept = null, string user = "anna") => new()
    {
        Position = 1,
        Kind = RevocationKind.User,
        App = "public",
        Tenant = "t",
        UserId = user,
        Epoch = epoch,
        Kept = kept,
    };

    public static RevocationEntry Tenant(string tenant = "t") => new() { Position = 1, Kind = RevocationKind.Tenant, App = "public", Tenant = tenant };

    public static RevocationEntry App(string app = "public") => new() { Position = 1, Kind = RevocationKind.App, App = app };

    public static RevocationEntry Key(string kid) => new() { Position = 1, Kind = RevocationKind.SigningKey, App = "public", Kid = kid };

    public static RevocationEntry Unknown() => new() { Position = 1, Kind = (RevocationKind)99, App = "elsewhere" };

    public static HolderRow Row(int number, string address = "a", long counter = 0, double lease = 10, HolderKind kind = HolderKind.Silo) => new()
    {
        Incarnation = Id(number),
        Kind = kind,
        Name = $"holder {number}",
        Address = address,
        Counter = counter,
        Lease = TimeSpan.FromSeconds(lease),
    };

    /// <summary>A registered holder that has just renewed.</summary>
    public static Holder Fresh(TimeProvider clock, int capacity = 1_000)
    {
        var holder = new Holder(clock, capacity);
        holder.Begin(Id(100), Terms, []);
        holder.CompleteRenewal(holder.StartRenewal(), []);
        return holder;
    }

    /// <summary>Seen in the store.</summary>
    public static void See(this Holder holder, FoundSession found) =>
        Assert.Equal(LookOutcome.Known, holder.CompleteLook(holder.StartLook(found.Name)!, found.Name, found));

    public static void Renew(this Holder holder, params IReadOnlyList<RevocationEntry> entries) => Assert.True(holder.CompleteRenewal(holder.StartRenewal(), entries));

    public static HolderVerdict Check(this Holder holder, SessionName name) => holder.Check(name, out _);

    /// <summary>What something came to that must be over by now.</summary>
    public static T Outcome<T>(this Task<T> task)
    {
        Assert.True(task.IsCompleted, "It is not over.");
        return task.GetAwaiter().GetResult();
    }
}
