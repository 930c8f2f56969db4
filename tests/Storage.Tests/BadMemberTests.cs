using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Serialization;

namespace Grid.Storage.Tests;

/// <summary>One request that no database takes, among many that share its statement.</summary>
public sealed class BadMemberTests(SharedPostgreSql shared)
{
    private static readonly string[] Poison = ["a\0b", "a\ud800", "\udc00b", "\ud800\ud800", "\udc00\ud800"];

    public static MatrixTheoryData<StoreEngine, string> Cases =>
        new([StoreEngine.Sqlite, StoreEngine.PostgreSql], ["tenant", "user", "app", "domain", "payload", "data"]);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Cases))]
    public async Task A_value_that_cannot_be_stored_fails_alone_among_thirty_in_reads_inserts_and_updates(StoreEngine engine, string place)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        SessionRecord[] good = [.. Enumerable.Range(0, 30).Select(i => TestStore.NewSession(userId: $"😀 {i}"))];
        SessionRecord[] bad = [.. Poison.Select(text => Poisoned(place, text))];

        var inserts = Mixed(good, bad, session => db.Store.InsertAsync(session, Stop));
        await CheckAsync(inserts, inserted => Assert.True(inserted));
        var reads = Mixed(good, place is "tenant" or "app" or "domain" ? bad : [], session => db.Store.ReadAsync(session.Key, Stop));
        await CheckAsync(reads, Assert.NotNull);
        var updates = Mixed(good, bad, session => db.Store.UpdateAsync(session with { Version = 2 }, Stop));
        await CheckAsync(updates, updated => Assert.True(updated));
        Assert.All(await Task.WhenAll(good.Select(session => db.Store.ReadAsync(session.Key, Stop).AsTask())), session => Assert.Equal(2, session!.Version));
    }

    [Theory, MemberData(nameof(SessionStoreTests.Engines), MemberType = typeof(SessionStoreTests))]
    public async Task Lists_and_revocations_of_what_cannot_be_stored_are_refused_and_write_nothing(StoreEngine engine)
    {
        await using var db = await TestStore.OpenAsync(engine, shared);
        var session = TestStore.NewSession();
        await db.Store.InsertAsync(session, Stop);
        foreach (var text in Poison)
        {
            RevocationScope[] scopes =
            [
                new RevocationScope.User { App = AppKey.Public, TenantId = null, UserId = text },
                new RevocationScope.User { App = AppKey.Public, TenantId = text, UserId = "u" },
                new RevocationScope.Tenant { App = AppKey.Public, TenantId = text },
                new RevocationScope.WholeApp { App = new AppKey("", text) },
                new RevocationScope.SigningKey { App = AppKey.Public, Kid = text },
            ];
            foreach (var scope in scopes)
            {
                await Assert.ThrowsAsync<UnstorableValueException>(async () => await db.Store.RevokeAsync(scope, RevocationReason.Requested, TestStore.Now(), Stop));
            }

            await Assert.ThrowsAsync<UnstorableValueException>(async () => await db.Store.ListAsync(AppKey.Public, null, text, TestStore.Now(), Stop));
            await Assert.ThrowsAsync<UnstorableValueException>(async () => await db.Store.ListAsync(AppKey.Public, text, "u", TestStore.Now(), Stop));
        }

        Assert.NotNull(await db.Store.ReadAsync(session.Key, Stop));
        Assert.Null(db.Condition.Trouble);
    }

    [Fact]
    public async Task A_user_id_that_no_index_of_PostgreSql_holds_fails_alone()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.PostgreSql, shared);
        var random = new Random(1);
        var endless = TestStore.NewSession(userId: string.Concat(Enumerable.Range(0, 20_000).Select(_ => (char)random.Next('!', '~'))));
        SessionRecord[] good = [.. Enumerable.Range(0, 30).Select(_ => TestStore.NewSession())];

        await CheckAsync(Mixed(good, [endless], session => db.Store.InsertAsync(session, Stop)), inserted => Assert.True(inserted));
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_fails_alone()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.PostgreSql, shared);
        SessionRecord[] good = [.. Enumerable.Range(0, 31).Select(_ => TestStore.NewSession())];
        await Task.WhenAll(good.Select(session => db.Store.InsertAsync(session, Stop).AsTask()));
        await using (var connection = new NpgsqlConnection(db.Options.ConnectionString))
        {
            await connection.OpenAsync(Stop);
            await using var damage = new NpgsqlCommand("UPDATE grid_session SET refresh_current = '\\x00' WHERE handle = $1", connection) { Parameters = { new() { Value = good[9].Key.Handle.Id } } };
            await damage.ExecuteNonQueryAsync(Stop);
        }

        var reads = good.Select(session => db.Store.ReadAsync(session.Key, Stop).AsTask()).ToArray();

        await Assert.ThrowsAnyAsync<Exception>(() => reads[9]);
        Assert.All(await Task.WhenAll(reads.Where((_, i) => i != 9)), Assert.NotNull);
    }

    [Theory]
    [InlineData("53100", true)]
    [InlineData("53200", true)]
    [InlineData("58030", true)]
    [InlineData("25006", true)]
    [InlineData("42501", true)]
    [InlineData("42P01", true)]
    [InlineData("XX001", true)]
    [InlineData("40001", false)]
    [InlineData("57014", false)]
    [InlineData("53300", false)]
    [InlineData("08006", false)]
    public void States_that_meet_every_write_turn_readiness_and_those_of_the_moment_do_not(string sqlState, bool turns) =>
        Assert.Equal(turns, PostgreSql.PostgreSqlDatabase.WhyNoWrites(sqlState) is not null);

    [Fact]
    public void The_refusal_crosses_silos_with_its_sentence()
    {
        using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();

        var arrived = serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(new UnstorableValueException("The user id is …")));

        Assert.Equal("The user id is …", Assert.IsType<UnstorableValueException>(arrived).Message);
    }

    [Fact]
    public async Task A_call_that_was_given_up_leaves_no_connection_with_another_ones_answer()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.PostgreSql, shared);
        SessionRecord[] sessions = [.. Enumerable.Range(0, 20).Select(i => TestStore.NewSession(userId: $"u{i}"))];
        await Task.WhenAll(sessions.Select(session => db.Store.InsertAsync(session, Stop).AsTask()));
        var random = new Random(7);

        for (var round = 0; round < 40; round++)
        {
            using var impatient = new CancellationTokenSource();
            Task[] calls = [.. sessions.Select(async session =>
            {
                try
                {
                    var mine = await db.Store.ListAsync(AppKey.Public, null, session.UserId, TestStore.Now(), impatient.Token);
                    Assert.Equal([session.Key.Handle], mine);
                    Assert.Equal(session.UserId, (await db.Store.ReadAsync(session.Key, impatient.Token))!.UserId);
                }
                catch (OperationCanceledException)
                {
                    // The one that gave up.
                }
            })];
            for (var spins = random.Next(0, 20_000); spins > 0; spins--)
            {
                Thread.SpinWait(1);
            }

            await impatient.CancelAsync();
            await Task.WhenAll(calls);
        }

        Assert.Null(db.Condition.Trouble);
    }

    [Fact]
    public async Task A_server_that_became_read_only_is_said_and_passes()
    {
        await using var db = await TestStore.OpenAsync(StoreEngine.PostgreSql, shared);
        await ReadOnlyAsync(db, "on");
        while (db.Condition.Trouble is null)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await db.Store.InsertAsync(TestStore.NewSession(), Stop));
        }

        Assert.Contains("read-only", db.Condition.Trouble.Reason, StringComparison.Ordinal);
        await ReadOnlyAsync(db, "off");
        while (db.Condition.Trouble is not null)
        {
            await Task.Delay(100, Stop);
            try
            {
                await db.Store.InsertAsync(TestStore.NewSession(), Stop);
            }
            catch (StoreUnavailableException)
            {
                // A connection from before.
            }
        }
    }

    private static async Task ReadOnlyAsync(TestStore db, string value)
    {
        await using var connection = new NpgsqlConnection(db.Options.ConnectionString + ";Options=-c default_transaction_read_only=off");
        await connection.OpenAsync(Stop);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new($"ALTER DATABASE {connection.Database} SET default_transaction_read_only = {value}"));
        batch.BatchCommands.Add(new("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"));
        await batch.ExecuteNonQueryAsync(Stop);
    }

    private static SessionRecord Poisoned(string place, string text)
    {
        var session = TestStore.NewSession();
        return place switch
        {
            "tenant" => session with { Key = session.Key with { Handle = session.Key.Handle with { TenantId = text } } },
            "user" => session with { UserId = text },
            "app" => session with { Key = session.Key with { App = new AppKey("", text) } },
            "domain" => session with { Key = session.Key with { App = new AppKey(text, "a") } },
            "payload" => session with { PayloadJson = text },
            _ => session with { DataJson = text },
        };
    }

    // The poison in the midst of the good ones, so that it meets a group whatever way they are cut.
    private static List<(bool IsGood, Task<T> Answer)> Mixed<T>(SessionRecord[] good, SessionRecord[] bad, Func<SessionRecord, ValueTask<T>> call)
    {
        List<(bool, Task<T>)> calls = [.. good[..15].Select(session => (true, Started(session)))];
        calls.AddRange(bad.Select(session => (false, Started(session))));
        calls.AddRange(good[15..].Select(session => (true, Started(session))));
        return calls;

        Task<T> Started(SessionRecord session) => Task.Run(() => call(session).AsTask());
    }

    private static async Task CheckAsync<T>(List<(bool IsGood, Task<T> Answer)> calls, Action<T> check)
    {
        foreach (var (isGood, answer) in calls)
        {
            if (isGood)
            {
                check(await answer);
            }
            else
            {
                await Assert.ThrowsAsync<UnstorableValueException>(() => answer);
            }
        }
    }
}
