using System.Collections.Immutable;
using System.Globalization;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Grains.Holders;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Tokens;
using Grid.Tokens.Refresh;

namespace Grid.Bench.Revocation;

/// <summary>Bytes that a holder keeps per session: a service's, and a silo's with what it keeps of the row.</summary>
/// <remarks>One app, one tenant, users named by UUID with 1 to 10 sessions or with one each; every second session has been refreshed.</remarks>
internal static class RememberedMemory
{
    public static async Task<MemoryFigure> ServiceAsync(int sessions, int perUser)
    {
        var users = new Users(sessions, perUser);
        return new MemoryFigure($"service, {Shape(perUser)}", sessions, await BytesAsync(users, new ServiceLook(users)));
    }

    /// <param name="sessions">How many.</param>
    /// <param name="perUser">At most.</param>
    /// <param name="payload">Characters of the payload; both included.</param>
    public static async Task<MemoryFigure> SiloAsync(int sessions, int perUser, (int Least, int Most) payload)
    {
        var users = new Users(sessions, perUser);
        var clock = new TrustedClock(TimeProvider.System, new ClockTrust(TimeProvider.System, LeaseClock.Instance));
        var look = new StoreLook(new Rows(users, payload), new OneApp(), clock);
        return new MemoryFigure(
            string.Create(CultureInfo.InvariantCulture, $"silo, {Shape(perUser)}, payload of {payload.Least}–{payload.Most} bytes"), sessions, await BytesAsync(users, look));
    }

    private static string Shape(int perUser) => perUser == 1 ? "one session per user" : $"1–{perUser} sessions per user";

    private static async Task<double> BytesAsync(Users users, ISessionLook look)
    {
        var holder = new Holder(LeaseClock.Instance, int.MaxValue);
        var checks = new SessionChecks(holder, look, LeaseClock.Instance);
        holder.Begin(Guid.NewGuid(), new LeaseTerms(TimeSpan.FromHours(1)), []);
        holder.CompleteRenewal(holder.StartRenewal(), []);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < users.Sessions; i++)
        {
            await checks.FindAsync(new SessionName("public", TenantKey.PublicId, Users.Id(i)));
        }

        var after = GC.GetTotalMemory(forceFullCollection: true);
        if (holder.Count != users.Sessions)
        {
            throw new InvalidOperationException($"Only {holder.Count} sessions are known.");
        }

        GC.KeepAlive(checks);
        GC.KeepAlive(users);
        return (after - before) / (double)users.Sessions;
    }

    /// <summary>Whose session each is, told by its id, so that what the store would hold takes no memory here.</summary>
    private sealed class Users
    {
        private readonly int[] _users;

        public Users(int sessions, int perUser)
        {
            var dice = new Random(1);
            _users = new int[sessions];
            for (var (i, user) = (0, 0); i < sessions; user++)
            {
                for (var left = 1 + dice.Next(perUser); left > 0 && i < sessions; left--)
                {
                    _users[i++] = user;
                }
            }

            // A user's sessions are not seen one after the other.
            dice.Shuffle(_users);
        }

        public int Sessions => _users.Length;

        public static Guid Id(int session) => Numbered(session, 0x9E3779B97F4A7C15);

        public static int Of(Guid id) => BitConverter.ToInt32(id.ToByteArray(), 12);

        /// <summary>Another string each time, as from a reader.</summary>
        public string UserOf(int session) => Numbered(_users[session], 0xD1B54A32D192ED03).ToString("D");

        private static Guid Numbered(int number, ulong factor)
        {
            Span<byte> bytes = stackalloc byte[16];
            BitConverter.TryWriteBytes(bytes, (ulong)(number + 1) * factor);
            BitConverter.TryWriteBytes(bytes[8..], (uint)number * 2_654_435_769);
            BitConverter.TryWriteBytes(bytes[12..], number);
            return new Guid(bytes);
        }
    }

    private sealed class ServiceLook(Users users) : ISessionLook
    {
        public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken) => new(new FoundSession
        {
            Name = name,
            UserId = users.UserOf(Users.Of(name.Id)),
            Epoch = 0,
            ExpiresAt = TimeProvider.System.GetUtcNow().AddDays(100),
        });
    }

    private sealed class Rows(Users users, (int Least, int Most) payload) : ISessionReader
    {
        private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();

        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken)
        {
            var session = Users.Of(key.Handle.Id);
            var size = payload.Least + (session % (payload.Most - payload.Least + 1));
            var current = TokenHash.Of(key.Handle.Id.ToByteArray());
            return new ValueTask<SessionRecord?>(new SessionRecord
            {
                Key = key,
                UserId = users.UserOf(session),
                Chain = session % 2 == 0 ? new RefreshChain(current) : new RefreshChain(current, current.HashOfHex(), _now),
                PayloadJson = $$"""{"roles":["{{new string('r', size - 14)}}"]}""",
                DataJson = new string("{}".AsSpan()),
                UseDynamicKey = true,
                CreatedAt = _now,
                ExpiresAt = _now.AddDays(100),
            });
        }
    }

    private sealed class OneApp : IAppDirectory
    {
        private static readonly AppSnapshot App = new()
        {
            App = AppKey.Public,
            Settings = new AppDefaults().Settings,
            ApiKeyHashes = [],
            TenantIds = ImmutableHashSet.Create(TenantKey.PublicId),
        };

        public ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken) => new(App);

        public ValueTask<AddressedApp> FindAsync(string host, string appId, CancellationToken cancellationToken) => new(new AddressedApp("", App));

        public ValueTask<TenantRules> FindRulesAsync(TenantKey tenant, CancellationToken cancellationToken) => new(new TenantRules(null, null));
    }
}

/// <summary>Bytes per remembered session or active grain.</summary>
internal sealed record MemoryFigure(string Name, int Count, double Bytes);
