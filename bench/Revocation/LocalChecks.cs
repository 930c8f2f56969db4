using System.Diagnostics;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Storage;
using Grid.Tokens;
using Grid.Tokens.Access;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.Bench.Revocation;

/// <summary>What a check costs in one process, on one thread: the token alone, token and session by lease, and what is common today, a read per request.</summary>
internal static class LocalChecks
{
    private const int SignedTokens = 20_000;

    public static async Task<List<CheckFigure>> RunAsync(int sessions, TimeSpan time, string? postgreSql)
    {
        var now = TimeProvider.System.GetUtcNow();
        var key = SigningKey.FromRsa("d-bench", true, now, null, SigningKeySecrets.CreateRsa());
        var ring = new KeyRing([key], new RefreshMacKey("m-bench", SigningKeySecrets.CreateMac()), now.AddHours(1));
        var names = Enumerable.Range(0, sessions).Select(_ => new SessionName("public", TenantKey.PublicId, Guid.CreateVersion7())).ToArray();
        var checks = await KnowAllAsync(names);
        var tokens = names.Take(SignedTokens).Select((name, i) => AccessTokenIssuer.Mint(Content(name, i, now), key)).ToArray();
        var remembering = new AccessTokenVerifier();
        var forgetful = new AccessTokenVerifier(0);
        foreach (var token in tokens)
        {
            remembering.Verify(token, ring, now);
        }

        List<CheckFigure> figures =
        [
            Measure("session by lease, no token", time, i => Lives(checks, names[i % names.Length])),
            Measure("token remembered, session not checked", time, i => Valid(remembering, tokens[i % tokens.Length], ring)),
            Measure("token remembered, session by lease", time, i => Valid(remembering, tokens[i % tokens.Length], ring) && Lives(checks, names[i % tokens.Length])),
            Measure("signature checked, session by lease", time, i => Valid(forgetful, tokens[i % tokens.Length], ring) && Lives(checks, names[i % tokens.Length])),
        ];
        if (postgreSql is not null)
        {
            figures.Add(await ReadEachTimeAsync(postgreSql, remembering, tokens[0], ring, time));
        }

        return figures;
    }

    /// <summary>How long a renewal's news take to apply while that many sessions are known.</summary>
    public static async Task<(double Empty, double TenUsers)> RenewalsAsync(int sessions)
    {
        var names = Enumerable.Range(0, sessions).Select(_ => new SessionName("public", TenantKey.PublicId, Guid.CreateVersion7())).ToArray();
        var holder = new Holder(LeaseClock.Instance);
        await KnowAllAsync(names, holder);
        var position = 0L;
        return (Median(() => []), Median(() => [.. Enumerable.Range(0, 10).Select(_ => new RevocationEntry
        {
            Position = ++position, Kind = RevocationKind.User, App = "public", Tenant = TenantKey.PublicId, UserId = $"u{position % 1000}", Epoch = 1,
        })]));

        double Median(Func<RevocationEntry[]> news)
        {
            List<double> times = [];
            for (var i = 0; i < 200; i++)
            {
                var entries = news();
                var ticket = holder.StartRenewal();
                var started = Stopwatch.GetTimestamp();
                holder.CompleteRenewal(ticket, entries);
                times.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
            }

            return times.Order().ElementAt(times.Count / 2);
        }
    }

    private static CheckFigure Measure(string name, TimeSpan time, Func<int, bool> check)
    {
        for (var i = 0; i < 50_000; i++)
        {
            check(i);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var started = Stopwatch.GetTimestamp();
        var count = 0;
        while (Stopwatch.GetElapsedTime(started) < time)
        {
            for (var i = 0; i < 100; i++)
            {
                if (!check(count++))
                {
                    throw new InvalidOperationException($"{name}: a living session was refused.");
                }
            }
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new CheckFigure(name, count / seconds, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)count);
    }

    // As an application that reads the session's row on every request: one caller, one round trip at a time.
    private static async Task<CheckFigure> ReadEachTimeAsync(string postgreSql, AccessTokenVerifier verifier, string token, KeyRing ring, TimeSpan time)
    {
        var options = new StoreOptions { Engine = StoreEngine.PostgreSql, ConnectionString = postgreSql };
        StoreMigrator.For(options).Apply();
        await using var services = new ServiceCollection().AddLogging().AddGridStorage(options).BuildServiceProvider();
        var store = services.GetRequiredService<ISessionStore>();
        var now = TimeProvider.System.GetUtcNow();
        var row = new SessionRecord
        {
            Key = new SessionKey(AppKey.Public, SessionHandle.Create(TenantKey.PublicId, now)),
            UserId = "u",
            Chain = new RefreshChain(TokenHash.Of("t")),
            PayloadJson = "{}",
            DataJson = "{}",
            UseDynamicKey = true,
            CreatedAt = now,
            ExpiresAt = now.AddDays(1),
        };
        await store.InsertAsync(row, CancellationToken.None);
        var count = 0;
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < time)
        {
            if (!Valid(verifier, token, ring) || await store.ReadAsync(row.Key, CancellationToken.None) is null)
            {
                throw new InvalidOperationException("A living session was refused.");
            }

            count++;
        }

        return new CheckFigure("token remembered, row read from PostgreSQL", count / Stopwatch.GetElapsedTime(started).TotalSeconds, null);
    }

    private static bool Valid(AccessTokenVerifier verifier, string token, KeyRing ring) => verifier.Verify(token, ring, TimeProvider.System.GetUtcNow()).Outcome == AccessTokenOutcome.Valid;

    private static bool Lives(SessionChecks checks, SessionName name)
    {
        var finding = checks.FindAsync(name);
        return finding.IsCompletedSuccessfully && finding.GetAwaiter().GetResult().Liveness == Liveness.Active;
    }

    private static async Task<SessionChecks> KnowAllAsync(SessionName[] names, Holder? known = null)
    {
        var holder = known ?? new Holder(LeaseClock.Instance);
        var checks = new SessionChecks(holder, new EverybodyLives(), LeaseClock.Instance);

        // Fresh for the whole measurement.
        holder.Begin(Guid.NewGuid(), new LeaseTerms(TimeSpan.FromHours(1)), []);
        holder.CompleteRenewal(holder.StartRenewal(), []);
        foreach (var name in names)
        {
            await checks.FindAsync(name);
        }

        return checks;
    }

    private static AccessTokenContent Content(SessionName name, int user, DateTimeOffset now) => new()
    {
        Version = AccessTokenVersion.V5,
        UserId = $"u{user % 1000}",
        RecipeUserId = $"u{user % 1000}",
        TenantId = name.Tenant,
        SessionHandle = name.Id.ToString("D"),
        RefreshTokenHash1 = TokenHash.Of(name.Id.ToString("D")).ToHex(),
        IssuedAt = now,
        ExpiresAt = now.AddHours(1),
        PayloadJson = """{"plan":"pro"}""",
    };

    private sealed class EverybodyLives : ISessionLook
    {
        private int _user;

        public ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken) => new(new FoundSession
        {
            Name = name,
            UserId = $"u{_user++ % 1000}",
            Epoch = 0,
            ExpiresAt = TimeProvider.System.GetUtcNow().AddDays(1),
        });
    }
}

/// <summary>Checks a second on one thread.</summary>
internal sealed record CheckFigure(string Name, double PerSecond, double? Allocated);
