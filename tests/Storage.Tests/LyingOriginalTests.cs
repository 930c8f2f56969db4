using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Grid.Storage.Importing;
using Grid.TestKit;
using Grid.TestKit.SuperTokens;
using Npgsql;

namespace Grid.Storage.Tests;

/// <summary>An original's database that holds what no core writes, or does not let everything be read.</summary>
public sealed class LyingOriginalTests(SharedPostgreSql shared)
{
    private const string BadHandle = "its handle is not a UUID of version 4 with the tenant behind it";
    private const string BadHash = "its refresh token's hash is not 64 hexadecimal digits";
    private const string BadJson = "its payload or data is no JSON object";
    private const string BadTime = "one of its times is before 1970 or after the year 9999";
    private const string BadUser = "its user id is empty or longer than 128 characters";

    private readonly DateTimeOffset _now = TestStore.Now();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Engines))]
    public async Task Each_row_that_no_core_writes_is_refused_by_itself_with_its_reason_and_the_others_come(StoreEngine engine)
    {
        (string Change, string? Why)[] rows =
        [
            ("user_id = user_id", null),
            ("user_id = repeat('u', 128)", null),
            ("use_static_key = NULL", null),
            ("jwt_user_payload = NULL, session_data = NULL", null),
            ("user_id = repeat('u', 129)", BadUser), ("user_id = repeat('u', 10000)", BadUser), ("user_id = ''", BadUser), ("user_id = NULL", BadUser),
            ("session_handle = upper(session_handle)", BadHandle), ("session_handle = session_handle || '_t1'", BadHandle), ("session_handle = ''", BadHandle),
            ("session_handle = overlay(session_handle placing '7' from 15)", BadHandle),
            ("refresh_token_hash_2 = 'x'", BadHash), ("refresh_token_hash_2 = NULL", BadHash), ("prev_refresh_token_hash_2 = repeat('g', 64)", BadHash),
            ("jwt_user_payload = '[1]'", BadJson), ("session_data = '{\"a\":'", BadJson), ("jwt_user_payload = ''", BadJson), ("session_data = repeat('[', 100000)", BadJson),
            ("expires_at = 9223372036854775807", BadTime), ("created_at_time = -1", BadTime), ("created_at_time = NULL", BadTime), ("refresh_token_rotated_at = -9223372036854775808", BadTime),
            ("created_at_time = expires_at + 1", "it expires before it was made"),
        ];
        var original = await OriginalAsync();
        await original.AddAsync(Enumerable.Range(0, rows.Length).Select(i => new OriginalRow(new OriginalSession("public", "public", $"user-{i}"), $"token-{i}", _now, _now.AddDays(1))));
        await original.RunAsync(
            "ALTER TABLE session_info DROP CONSTRAINT session_info_pkey; "
            + string.Concat(((string[])["user_id", "refresh_token_hash_2", "created_at_time", "use_static_key"]).Select(column => $"ALTER TABLE session_info ALTER {column} DROP NOT NULL; "))
            + string.Concat(((string[])["user_id", "refresh_token_hash_2"]).Select(column => $"ALTER TABLE session_info ALTER {column} TYPE text; "))
            + string.Concat(rows.Select((row, i) => $"UPDATE session_info SET {row.Change} WHERE user_id = 'user-{i}'; ")));

        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (records, reasons) = await ReadAsync(original);
        Assert.Equal(rows.Select(row => row.Why).OfType<string>().Order(StringComparer.Ordinal), reasons.Order(StringComparer.Ordinal));
        Assert.Equal(new ImportedSessions(rows.Count(row => row.Why is null), 0, 0, 0), await test.Imports.AddAsync(records, null, Stop));
    }

    [Theory, MemberData(nameof(Engines))]
    public async Task A_handle_that_is_there_twice_or_in_two_tenants_comes_once(StoreEngine engine)
    {
        var original = await OriginalAsync();
        await original.AddAsync([new(new OriginalSession("public", "public", "u1"), "token", _now, _now.AddDays(1))]);
        await original.RunAsync(
            """
            ALTER TABLE session_info DROP CONSTRAINT session_info_pkey;
            INSERT INTO session_info SELECT * FROM session_info;
            INSERT INTO session_info (tenant_id, session_handle, user_id, refresh_token_hash_2, expires_at, created_at_time, use_static_key)
                SELECT 't1', session_handle || '_t1', user_id, refresh_token_hash_2, expires_at, created_at_time, false FROM session_info LIMIT 1;
            """);

        await using var test = await TestStore.OpenAsync(engine, shared, new TestStore.StillTime());
        var (records, reasons) = await ReadAsync(original);
        Assert.Empty(reasons);
        Assert.Equal(3, records.Count);
        Assert.Equal(1, (await test.Imports.AddAsync(records, null, Stop)).Added);
        Assert.Equal(0, (await test.Imports.AddAsync(records, null, Stop)).Added);
        Assert.Single(await test.Store.ListAsync(records[0].Key.App, null, "u1", _now, Stop));
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_named()
    {
        Assert.SkipWhen(shared.Server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var settings = new NpgsqlConnectionStringBuilder(await shared.Server!.CreateDatabaseAsync());
        var name = $"{settings.Database}_bytes";
        await using (var connection = new NpgsqlConnection(settings.ToString()))
        {
            await connection.OpenAsync(Stop);
            await using var create = new NpgsqlCommand($"CREATE DATABASE \"{name}\" ENCODING 'SQL_ASCII' TEMPLATE template0", connection);
            await create.ExecuteNonQueryAsync(Stop);
        }

        settings.Database = name;
        var original = new Original(new OriginalDatabase(settings.ToString(), OriginalGeneration.Rotation), settings.ToString());
        await original.Database.CreateAsync();
        await original.AddAsync([new(new OriginalSession("public", "public", "u1"), "token", _now, _now.AddDays(1))]);
        Assert.Single((await ReadAsync(original)).Records);
        await original.RunAsync(@"UPDATE session_info SET session_data = E'{""a"":""\377""}'");

        var refusal = await Assert.ThrowsAsync<ImportSourceException>(() => ReadAsync(original));
        Assert.False(refusal.IsAway);
        Assert.Contains("cannot be read: invalid byte sequence for encoding \"UTF8\": 0xff. Repair its row", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_read_a_table_or_is_not_let_in_hears_which_and_the_repair()
    {
        var original = await OriginalAsync();
        var role = $"reader_{Guid.NewGuid():N}";
        await original.RunAsync($"CREATE ROLE {role} LOGIN; GRANT SELECT ON session_info, session_access_token_signing_keys, jwt_signing_keys, app_id_to_user_id TO {role}");
        var settings = new NpgsqlConnectionStringBuilder(original.ConnectionString) { Username = role };
        await using (var database = await SuperTokensDatabase.OpenAsync(new SuperTokensSource(settings.ToString()), 1, Stop))
        {
            Assert.Empty(await database.CountAsync(_now, Stop));
            await RefusedAsync(() => database.ReadKeysAsync(Stop), "permission denied for table key_value. GRANT USAGE ON SCHEMA");
        }

        await RefusedAsync(() => SuperTokensDatabase.OpenAsync(new SuperTokensSource(original.ConnectionString, Schema: "other"), 1, Stop), "no table session_info in schema other: name the schema by --schema");
        settings.Database = "missing";
        await RefusedAsync(() => SuperTokensDatabase.OpenAsync(new SuperTokensSource(settings.ToString()), 1, Stop), "database \"missing\" does not exist. Check user, password and database");
        settings = new NpgsqlConnectionStringBuilder(original.ConnectionString) { Username = "nobody" };
        await RefusedAsync(() => SuperTokensDatabase.OpenAsync(new SuperTokensSource(settings.ToString()), 1, Stop), "role \"nobody\" does not exist. Check user");
        await original.RunAsync("ALTER TABLE session_info ALTER expires_at TYPE text");
        await using var changed = await SuperTokensDatabase.OpenAsync(new SuperTokensSource(original.ConnectionString), 1, Stop);
        await RefusedAsync(() => changed.CountAsync(_now, Stop), "not as a SuperTokens core makes them: operator does not exist");

        static async Task RefusedAsync(Func<Task> work, string why)
        {
            var refusal = await Assert.ThrowsAsync<ImportSourceException>(work);
            Assert.False(refusal.IsAway, refusal.Message);
            Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Tenants_in_other_databases_are_found_and_nothing_of_what_their_settings_say_is_told()
    {
        var original = await OriginalAsync();
        await using var database = await SuperTokensDatabase.OpenAsync(new SuperTokensSource(original.ConnectionString), 1, Stop);
        Assert.Empty(await database.FindElsewhereAsync(Stop));
        await original.RunAsync(
            """
            CREATE TABLE tenant_configs (connection_uri_domain varchar(256) DEFAULT '', app_id varchar(64) DEFAULT 'public', tenant_id varchar(64) DEFAULT 'public', core_config text,
                PRIMARY KEY (connection_uri_domain, app_id, tenant_id));
            INSERT INTO tenant_configs VALUES ('', 'public', 'public', '{}'), ('', 'public', 't1', '{"postgresql_connection_uri":"postgresql://u:secret@h/d"}'), ('', 'a1', 'public', 'no JSON'),
                ('', 'a2', 'public', '{"access_token_validity":60,"postgresql_host":null}'), ('shop.example', 'public', 'public', NULL);
            """);
        await using var anew = await SuperTokensDatabase.OpenAsync(new SuperTokensSource(original.ConnectionString), 1, Stop);
        Assert.Equal([new("", "public", "t1"), new("shop.example", "public", "public")], await anew.FindElsewhereAsync(Stop));
    }

    public static TheoryData<StoreEngine> Engines() => [StoreEngine.Sqlite, StoreEngine.PostgreSql];

    private async Task<(List<SessionRecord> Records, List<string> Reasons)> ReadAsync(Original original)
    {
        await using var database = await SuperTokensDatabase.OpenAsync(new SuperTokensSource(original.ConnectionString), 1, Stop);
        List<SessionRecord> records = [];
        List<string> reasons = [];
        await foreach (var session in database.ReadSessionsAsync(_now, null, isBehind: true, Stop))
        {
            if (session.TryConvert(out var record, out var why))
            {
                records.Add(record);
            }
            else
            {
                reasons.Add(why);
            }
        }

        return (records, reasons);
    }

    private async Task<Original> OriginalAsync()
    {
        Assert.SkipWhen(shared.Server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var connectionString = await shared.Server!.CreateDatabaseAsync();
        var original = new Original(new OriginalDatabase(connectionString, OriginalGeneration.Rotation), connectionString);
        await original.Database.CreateAsync();
        return original;
    }

    private sealed record Original(OriginalDatabase Database, string ConnectionString)
    {
        public Task AddAsync(IEnumerable<OriginalRow> rows) => Database.AddAsync(rows);

        public Task RunAsync(string sql) => Database.RunAsync(sql);
    }
}
