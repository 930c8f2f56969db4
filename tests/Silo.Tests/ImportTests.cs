using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Grid.Hosting.Importing;
using Grid.Hosting.Settings;
using Grid.Storage.Importing;
using Grid.TestKit;
using Grid.TestKit.SuperTokens;
using Grid.WebFront.Upstream;
using Npgsql;
using OriginalKeys = Grid.TestKit.SuperTokens.OriginalKeys;

namespace Grid.Silo.Tests;

/// <summary><c>grid import supertokens</c>: what another core issued goes on working, and what ended here stays ended.</summary>
public sealed class ImportTests(ImportTests.Originals originals) : IClassFixture<ImportTests.Originals>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-import-").FullName;
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly PostgreSqlServer? _server = originals.Server;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_token_works_after_an_import_that_was_killed_and_resumed_beside_a_silo_and_twice_is_once()
    {
        const int Count = 2_000;
        var keys = new OriginalKeys(generations: 3, _now);
        var (original, uri) = await OriginalAsync(OriginalGeneration.Rotation, keys);
        OriginalRow[] rows = [.. Enumerable.Range(0, Count).Select(i => Row(keys, new OriginalSession("public", i % 20 == 0 ? "t1" : "public", $"user-{i}", AntiCsrf: i % 7 == 0 ? "csrf" : null), usesStatic: i % 10 == 3))];
        await original.AddAsync(rows);
        var store = await _server!.CreateDatabaseAsync();
        var environment = Environment(store);
        using var grid = await GridProcess.ServeAsync(_folder, environment);
        (await grid.Http.PutAsJsonAsync("/recipe/multitenancy/tenant/v2", new { tenantId = "t1" }, Stop)).EnsureSuccessStatusCode();

        // A row that somebody else is about to write holds the import up in the middle, however fast the machine is.
        var sorted = rows.OrderBy(row => row.Session.Tenant, StringComparer.Ordinal).ThenBy(row => row.Session.Handle, StringComparer.Ordinal).ToList();
        string[] import = ["import", "supertokens", $"--from={uri}", "--batch=50"];
        await using (var other = new NpgsqlConnection(store))
        {
            await other.OpenAsync(Stop);
            await using var hold = await other.BeginTransactionAsync(Stop);
            await NoteAsync(other, sorted[Count / 2].Session);
            var (killed, _) = await GridProcess.RunAsync(_folder, ["bash", "-c", "\"$@\" & child=$!; until [ \"$(cat go 2>/dev/null)\" ]; do sleep 0.1; done; kill -9 $child; wait $child", "-"], import, environment)
                .WaitForAsync(async () =>
                {
                    if (await CountAsync(store) >= (Count / 2) - 50)
                    {
                        await File.WriteAllTextAsync(Path.Combine(_folder, "go"), "1", Stop);
                    }
                });
            Assert.NotEqual(0, killed);
        }

        // What the database had been given when its client was killed, it may still have committed.
        Assert.InRange(await CountAsync(store), (Count / 2) - 50, (Count / 2) + 50);
        var (revoked, ofUser) = (sorted[0], sorted[1]);
        await UntilAsync(async () => (await VerifyAsync(grid.Http, Access(keys, sorted[2]))).Word() == "OK");
        Assert.Equal([revoked.Session.Handle], (await PostAsync(grid.Http, "/recipe/session/remove", new { sessionHandles = new[] { revoked.Session.Handle } }))["sessionHandlesRevoked"]!.AsArray().Select(handle => (string?)handle));
        Assert.Single((await PostAsync(grid.Http, "/recipe/session/remove", new { userId = ofUser.Session.UserId }))["sessionHandlesRevoked"]!.AsArray());

        // The original served on meanwhile, as before a switch that was put off: it made a session in a place that the import had passed.
        OriginalRow since;
        do
        {
            since = Row(keys, new OriginalSession("public", "public", "late-user"));
        }
        while (string.CompareOrdinal(since.Session.Handle, sorted[Count / 4].Session.Handle) >= 0);
        await original.AddAsync([since]);

        var resumed = await GridProcess.RunAsync(_folder, import, environment);
        Assert.True(resumed.Code == 0, resumed.Output);
        Assert.Contains("goes on behind session", resumed.Output, StringComparison.Ordinal);
        Assert.Equal(Count - 2 + 1, await CountAsync(store));
        Assert.Equal("OK", (await RefreshAsync(grid.Http, since)).Word());
        var again = await GridProcess.RunAsync(_folder, import, environment);
        Assert.Contains($"0 sessions imported, 0 renewed, {Count + 1} came before, 0 refused", again.Output, StringComparison.Ordinal);

        foreach (var ended in (OriginalRow[])[revoked, ofUser])
        {
            Assert.Equal("UNAUTHORISED", (await VerifyAsync(grid.Http, Access(keys, ended))).Word());
            Assert.Equal("UNAUTHORISED", (await RefreshAsync(grid.Http, ended)).Word());
        }

        await Parallel.ForEachAsync(sorted.Skip(2).Select((row, i) => (row, i)), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Stop }, async (work, _) =>
        {
            var (row, i) = work;
            var verified = await VerifyAsync(grid.Http, Access(keys, row, i % 3));
            Assert.Equal(("OK", row.Session.Handle), (verified.Word(), (string?)verified["session"]!["handle"]));
            var refreshed = await RefreshAsync(grid.Http, row);
            Assert.Equal(("OK", row.Session.UserId), (refreshed.Word(), (string?)refreshed["session"]!["userId"]));
            if (i % 100 == 0)
            {
                Assert.Equal("OK", (await VerifyAsync(grid.Http, (string)refreshed["accessToken"]!["token"]!)).Word());
                Assert.Equal("OK", (await RefreshAsync(grid.Http, (string)refreshed["refreshToken"]!["token"]!, (string?)refreshed["antiCsrfToken"])).Word());
                Assert.Equal("TOKEN_THEFT_DETECTED", (await RefreshAsync(grid.Http, row)).Word());
                Assert.Equal("UNAUTHORISED", (await VerifyAsync(grid.Http, Access(keys, row))).Word());
            }
        });

        // What the silo signs with is its own.
        var own = await PostAsync(grid.Http, "/recipe/session", new { userId = "new", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } });
        Assert.DoesNotContain(keys.CreatedAt, created => Kid((string)own["accessToken"]!["token"]!) == $"d-{created}");
        var pinned = await PostAsync(grid.Http, "/recipe/session", new { userId = "new", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { }, useDynamicSigningKey = false });
        Assert.Equal(keys.StaticKid, Kid((string)pinned["accessToken"]!["token"]!));
    }

    [Fact]
    public async Task Chains_and_accounts_are_what_they_were_and_what_an_original_lacks_is_named()
    {
        var keys = new OriginalKeys(generations: 1, _now);
        var (original, uri) = await OriginalAsync(OriginalGeneration.Rotation, keys);
        var (child, recent, late, linked) = (new OriginalSession("public", "public", "child"), new OriginalSession("public", "public", "recent"), new OriginalSession("public", "public", "late"),
            new OriginalSession("public", "public", Guid.NewGuid().ToString()));
        var primary = Guid.NewGuid().ToString();
        var first = keys.RefreshToken(child);
        var second = keys.RefreshToken(child, first);
        var unrelated = keys.RefreshToken(child, keys.RefreshToken(child));
        await original.LinkAsync("public", linked.UserId, primary);

        // The grace of a rotation in an hour lasts however slow the machine is.
        OriginalRow[] rows =
        [
            new(child, first, _now, _now.AddDays(1)), Row(keys, linked),
            new(recent, keys.RefreshToken(recent), _now, _now.AddDays(1), false, keys.RefreshToken(recent), _now.AddHours(1)),
            new(late, keys.RefreshToken(late), _now, _now.AddDays(1), false, keys.RefreshToken(late), _now.AddHours(-1)),
            new(new("public", "public", "expired"), "x", _now.AddDays(-2), _now.AddDays(-1)),
        ];
        await original.AddAsync(rows);
        var store = await _server!.CreateDatabaseAsync();
        var environment = Environment(store);
        using var grid = await GridProcess.ServeAsync(_folder, environment);
        await original.RunAsync("ALTER TABLE session_info RENAME COLUMN user_id TO id");
        await RefusedAsync(2, "no column user_id", $"--from={uri}");
        await original.RunAsync("ALTER TABLE session_info RENAME COLUMN id TO user_id; UPDATE key_value SET name = 'other'");
        await RefusedAsync(2, "no key of its refresh tokens", $"--from={uri}");
        await original.RunAsync("UPDATE key_value SET name = 'refresh_token_key'; UPDATE session_info SET tenant_id = 't9', session_handle = session_handle || '_t9' WHERE user_id = 'late'");
        await RefusedAsync(2, "no app public with a tenant t9", $"--from={uri}");
        await original.RunAsync("UPDATE session_info SET tenant_id = 'public', session_handle = left(session_handle, 36)");
        await RefusedAsync(2, "no table old_session_info in schema public", $"--from={uri}", "--prefix=old");
        await RefusedAsync(3, "does not answer", "--from=postgresql://nobody@127.0.0.1:1/x");

        // A core that publishes other keys has another database: this Grid stands for one.
        await RefusedAsync(2, "is not the database of the core at", $"--from={uri}", $"--Grid:Upstream:Uri={grid.Http.BaseAddress}", "--Grid:Upstream:ConnectTimeout=1m");
        Assert.Equal(0, await CountAsync(store));
        var imported = await GridProcess.RunAsync(_folder, ["import", "supertokens", $"--from={uri}"], environment);
        Assert.True(imported.Code == 0 && imported.Output.Contains("4 sessions imported", StringComparison.Ordinal), imported.Output);
        await UntilAsync(async () => (await VerifyAsync(grid.Http, Access(keys, rows[1]))).Word() == "OK");
        var published = new UpstreamSettings { Uri = grid.Http.BaseAddress! };
        var source = new SuperTokensSource(ConnectionUri.Parse(uri, "--from").ToString());
        await using (var database = await SuperTokensDatabase.OpenAsync(source, maxConnections: 1, Stop))
        {
            using var client = new UpstreamClient(published);
            Assert.Null(await OriginalIdentity.WhyNotAsync(client, published, domain: "", source, await database.ReadKeysAsync(Stop), patience: null, Stop));
        }
        await ImportsADomainAsync();

        var theft = await RefreshAsync(grid.Http, rows[3] with { RefreshToken = rows[3].PreviousRefreshToken! });
        Assert.Equal(("TOKEN_THEFT_DETECTED", "RECENT_PREV"), (theft.Word(), (string?)theft["recentTokenReuseSubtype"]));
        Assert.Equal("OK", (await RefreshAsync(grid.Http, rows[2] with { RefreshToken = rows[2].PreviousRefreshToken! })).Word());
        var ofLinked = (await RefreshAsync(grid.Http, rows[1]))["session"]!;
        Assert.Equal((primary, linked.UserId), ((string?)ofLinked["userId"], (string?)ofLinked["recipeUserId"]));

        // By the older rules: the first use of a child makes it current, and its parent is then an old one.
        var promoted = await VerifyAsync(grid.Http, keys.AccessToken(child, second, first, 0, _now), "5.4");
        Assert.Equal(("OK", true), (promoted.Word(), promoted["accessToken"] is not null));
        Assert.Equal("OK", (await RefreshAsync(grid.Http, second, null, "5.4")).Word());
        Assert.Equal("TOKEN_THEFT_DETECTED", (await RefreshAsync(grid.Http, first, null, "5.4")).Word());
        Assert.Equal("TOKEN_THEFT_DETECTED", (await RefreshAsync(grid.Http, unrelated, null)).Word());
        Assert.Equal("UNAUTHORISED", (await RefreshAsync(grid.Http, second, null)).Word());
        Assert.Equal("UNAUTHORISED", (await RefreshAsync(grid.Http, new OriginalKeys(0, _now).RefreshToken(linked), null)).Word());

        // What a domain has is in a database of its own: said by the import of the other one, and imported under the domain's name.
        async Task ImportsADomainAsync()
        {
            await original.RunAsync(
                "CREATE TABLE tenant_configs (connection_uri_domain varchar(256), app_id varchar(64), tenant_id varchar(64), core_config text); INSERT INTO tenant_configs VALUES ('shop.example', 'public', 'public', '{}')");
            var dry = await GridProcess.RunAsync(_folder, ["import", "supertokens", $"--from={uri}", "--dry-run"], environment);
            Assert.Contains("not in this database: app public of the connection-URI domain shop.example, tenants public. Import the database that the core has for them by --from=… --domain=shop.example", dry.Output, StringComparison.Ordinal);
            await RefusedAsync(2, "no connection-URI domain shop.example, which --domain names", $"--from={uri}", "--domain=shop.example");
            (await grid.Http.PutAsJsonAsync("/recipe/multitenancy/connectionuridomain/v2", new { connectionUriDomain = "shop.example" }, Stop)).EnsureSuccessStatusCode();
            var ofShop = new OriginalKeys(generations: 1, _now);
            var (shop, at) = await OriginalAsync(OriginalGeneration.Rotation, ofShop);
            var buyer = Row(ofShop, new OriginalSession("public", "public", "buyer"));
            await shop.AddAsync([buyer]);
            var done = await GridProcess.RunAsync(_folder, ["import", "supertokens", $"--from={at}", "--domain=SHOP.example:3567"], environment);
            Assert.True(done.Code == 0 && done.Output.Contains("1 sessions imported", StringComparison.Ordinal), done.Output);
            await UntilAsync(async () => (await VerifyAsync(grid.Http, Access(ofShop, buyer), host: "shop.example")).Word() == "OK");
            Assert.NotEqual("OK", (await VerifyAsync(grid.Http, Access(ofShop, buyer))).Word());
        }

        async Task RefusedAsync(int code, string why, params string[] arguments)
        {
            var (actual, output) = await GridProcess.RunAsync(_folder, ["import", "supertokens", .. arguments], environment);
            Assert.True(actual == code && output.Contains(why, StringComparison.Ordinal), output);
        }
    }

    [Fact]
    public async Task The_older_tables_come_into_a_file_and_a_dry_run_writes_nothing()
    {
        var keys = new OriginalKeys(generations: 2, _now);
        var (original, uri) = await OriginalAsync(OriginalGeneration.OneTenant, keys, "auth", "st");
        OriginalRow[] rows = [.. Enumerable.Range(0, 5).Select(i => Row(keys, new OriginalSession("public", "public", $"user-{i}")))];
        await original.AddAsync(rows);
        string[] import = ["import", "supertokens", $"--from={uri}", "--schema=auth", "--prefix=st"];
        using (await GridProcess.ServeAsync(_folder))
        {
            // Makes the file and its key.
        }

        var dry = await GridProcess.RunAsync(_folder, [.. import, "--dry-run"]);
        Assert.True(dry.Code == 0 && dry.Output.Contains("5 sessions would be imported, 0 came before", StringComparison.Ordinal), dry.Output);
        Assert.Contains("4 keys would be imported", dry.Output, StringComparison.Ordinal);

        var done = await GridProcess.RunAsync(_folder, import);
        Assert.True(done.Code == 0 && done.Output.Contains("5 sessions imported", StringComparison.Ordinal), done.Output);
        Assert.DoesNotContain(keys.RefreshSecret, done.Output, StringComparison.Ordinal);

        // Keys that no app has taken in yet are sealed anew as well.
        var next = ("Grid__Keys__EncryptionKey", Convert.ToBase64String(SHA256.HashData("next"u8)));
        var rotated = await GridProcess.RunAsync(
            _folder, ["keys", "rotate-encryption-key"], next, ("Grid__Keys__PreviousEncryptionKey", (await File.ReadAllTextAsync(Path.Combine(_folder, "data", "grid.db.key"), Stop)).Trim()));
        Assert.True(rotated.Code == 0 && !rotated.Output.Contains("not opened", StringComparison.Ordinal), rotated.Output);
        using var grid = await GridProcess.ServeAsync(_folder, next);
        for (var i = 0; i < rows.Length; i++)
        {
            Assert.Equal("OK", (await VerifyAsync(grid.Http, Access(keys, rows[i], i % 2))).Word());
            Assert.Equal("OK", (await RefreshAsync(grid.Http, rows[i])).Word());
        }
    }

    [Fact]
    public async Task Sessions_are_taken_in_when_they_are_first_asked_for_and_never_again_when_they_have_ended()
    {
        Assert.SkipWhen(_server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        await using var away = (await PostgreSqlServer.TryStartAsync("fsync=off"))!;
        var keys = new OriginalKeys(generations: 1, _now);
        var original = new OriginalDatabase(await away.CreateDatabaseAsync(), OriginalGeneration.Rotation);
        await original.CreateAsync();
        await original.AddKeysAsync("public", keys);
        OriginalRow[] rows = [.. Enumerable.Range(0, 8).Select(i => Row(keys, new OriginalSession("public", "public", $"user-{i / 2}")))];
        OriginalRow[] ofTenants = [.. Enumerable.Range(0, 2).Select(i => Row(keys, new OriginalSession("public", $"t{i}", "of-tenants")))];
        await original.AddAsync([.. rows, .. ofTenants]);
        using var grid = await GridProcess.ServeAsync(_folder, ("Grid__Import__ReadThrough", original.Uri));

        // A tenant that is made is filled; what one had that was removed does not come when it is made again.
        foreach (var (path, tenantId) in ((string, string)[])[("", "t0"), ("", "t1"), ("/remove", "t1"), ("", "t1")])
        {
            await UntilAsync(async () =>
            {
                using var done = path.Length == 0
                    ? await grid.Http.PutAsJsonAsync("/recipe/multitenancy/tenant/v2", new { tenantId }, Stop)
                    : await grid.Http.PostAsJsonAsync("/recipe/multitenancy/tenant/remove", new { tenantId }, Stop);
                return done.IsSuccessStatusCode;
            });
        }

        Assert.Equal("UNAUTHORISED", (await VerifyAsync(grid.Http, Access(keys, ofTenants[1]))).Word());
        var left = await grid.Http.GetFromJsonAsync<JsonNode>("/recipe/session/user?userId=of-tenants&fetchAcrossAllTenants=true", Stop);
        Assert.Equal([ofTenants[0].Session.Handle], left!["sessionHandles"]!.AsArray().Select(handle => (string)handle!));

        // Somebody looks at a session before the switch, and the original rotates it twice until then: nobody is a thief by that.
        var looked = Row(keys, new OriginalSession("public", "public", "looked"));
        await original.AddAsync([looked]);
        var seen = await grid.Http.GetFromJsonAsync<JsonNode>("/recipe/session/user?userId=looked", Stop);
        Assert.Single(seen!["sessionHandles"]!.AsArray());
        var rotated = keys.RefreshToken(looked.Session, keys.RefreshToken(looked.Session, looked.RefreshToken));
        await original.RunAsync($"UPDATE session_info SET refresh_token_hash_2 = encode(sha256(encode(sha256('{rotated}'::bytea), 'hex')::bytea), 'hex') WHERE user_id = 'looked'");
        Assert.Equal("OK", (await RefreshAsync(grid.Http, looked with { RefreshToken = rotated })).Word());
        Assert.Equal("TOKEN_THEFT_DETECTED", (await RefreshAsync(grid.Http, looked)).Word());

        Assert.Equal("OK", (await VerifyAsync(grid.Http, Access(keys, rows[0]))).Word());
        Assert.Equal("OK", (await RefreshAsync(grid.Http, rows[1])).Word());
        var listed = await grid.Http.GetFromJsonAsync<JsonNode>("/recipe/session/user?userId=user-1", Stop);
        Assert.Equal(new[] { rows[2].Session.Handle, rows[3].Session.Handle }.Order(), listed!["sessionHandles"]!.AsArray().Select(handle => (string)handle!).Order());
        Assert.Equal(2, (await PostAsync(grid.Http, "/recipe/session/remove", new { userId = "user-2" }))["sessionHandlesRevoked"]!.AsArray().Count);
        Assert.Single((await PostAsync(grid.Http, "/recipe/session/remove", new { sessionHandles = new[] { rows[6].Session.Handle } }))["sessionHandlesRevoked"]!.AsArray());
        foreach (var ended in (OriginalRow[])[rows[4], rows[5], rows[6]])
        {
            Assert.Equal("UNAUTHORISED", (await VerifyAsync(grid.Http, Access(keys, ended))).Word());
            Assert.Equal("UNAUTHORISED", (await RefreshAsync(grid.Http, ended)).Word());
        }

        // Away: what is here goes on, what nobody can know is no refusal, and Grid's own sessions do not ask it.
        await away.CrashAsync();
        Assert.Equal("OK", (await VerifyAsync(grid.Http, Access(keys, rows[2]))).Word());
        Assert.Equal("UNAUTHORISED", (await VerifyAsync(grid.Http, Access(keys, rows[4]))).Word());
        Assert.StartsWith("503", (await Assert.ThrowsAsync<InvalidOperationException>(() => RefreshAsync(grid.Http, rows[7]))).Message, StringComparison.Ordinal);
        var own = await PostAsync(grid.Http, "/recipe/session", new { userId = "new", enableAntiCsrf = false, userDataInJWT = new { }, userDataInDatabase = new { } });
        Assert.Single((await PostAsync(grid.Http, "/recipe/session/remove", new { sessionHandles = new[] { (string)own["session"]!["handle"]! } }))["sessionHandlesRevoked"]!.AsArray());
        Assert.Contains("read-through\":{\"status\":\"Degraded", await grid.Http.GetStringAsync("/health/ready?verbose", Stop), StringComparison.Ordinal);
        await away.RestartAsync();
        await UntilAsync(async () => (await RefreshAsync(grid.Http, rows[7])).Word() == "OK");
    }

    private static (string, string)[] Environment(string store) =>
    [
        ("Grid__Store__ConnectionString", store), ("Grid__Store__AllowUnsafeDurability", "true"), ("Grid__Keys__EncryptionKey", Convert.ToBase64String(SHA256.HashData("import"u8))),
        ("Grid__Cluster__SiloPort", "0"), ("Grid__Cluster__GatewayPort", "0"), ("Grid__Cluster__Address", "127.0.0.1"),
    ];

    private async Task<(OriginalDatabase Database, string Uri)> OriginalAsync(OriginalGeneration generation, OriginalKeys keys, string schema = "public", string prefix = "")
    {
        Assert.SkipWhen(_server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        var original = new OriginalDatabase(await _server!.CreateDatabaseAsync(), generation, schema, prefix);
        await original.CreateAsync();
        await original.AddKeysAsync("public", keys);
        return (original, original.Uri);
    }

    private OriginalRow Row(OriginalKeys keys, OriginalSession session, bool usesStatic = false) =>
        new(session, keys.RefreshToken(session), _now.AddMinutes(-5), _now.AddDays(1), usesStatic);

    private string Access(OriginalKeys keys, OriginalRow row, int generation = 0) =>
        keys.AccessToken(row.Session, row.RefreshToken, null, row.UsesStaticKey ? -1 : generation, _now, TimeSpan.FromDays(1));

    private static Task<JsonNode> VerifyAsync(HttpClient http, string accessToken, string version = "5.6", string? host = null) =>
        PostAsync(http, "/recipe/session/verify", new { accessToken, enableAntiCsrf = false, doAntiCsrfCheck = false, checkDatabase = true }, version, host);

    private static Task<JsonNode> RefreshAsync(HttpClient http, OriginalRow row) => RefreshAsync(http, row.RefreshToken, row.Session.AntiCsrf);

    private static Task<JsonNode> RefreshAsync(HttpClient http, string refreshToken, string? antiCsrfToken, string version = "5.6") => PostAsync(
        http, "/recipe/session/refresh",
        antiCsrfToken is null
            ? new { refreshToken, enableAntiCsrf = false, useDynamicSigningKey = true }
            : new { refreshToken, enableAntiCsrf = true, useDynamicSigningKey = true, antiCsrfToken },
        version);

    private static async Task<JsonNode> PostAsync(HttpClient http, string path, object body, string version = "5.6", string? host = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("cdi-version", version);
        request.Headers.Host = host;
        using var answer = await http.SendAsync(request, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException($"{(int)answer.StatusCode} {text}");
    }

    private static string Kid(string token) =>
        (string)JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.AsSpan(0, token.IndexOf('.', StringComparison.Ordinal))))!["kid"]!;

    private static async Task NoteAsync(NpgsqlConnection connection, OriginalSession session)
    {
        await using var note = new NpgsqlCommand("INSERT INTO grid_imported_session (handle, app, tenant, version, expires_at) VALUES ($1, 'public', $2, 1, 0)", connection)
        {
            Parameters = { new() { Value = Guid.Parse(session.Handle[..36]) }, new() { Value = session.Tenant } },
        };
        await note.ExecuteNonQueryAsync(Stop);
    }

    private static async Task<int> CountAsync(string store)
    {
        await using var connection = new NpgsqlConnection(store);
        await connection.OpenAsync(Stop);
        await using var count = new NpgsqlCommand("SELECT count(*)::int FROM grid_session", connection);
        return (int)(await count.ExecuteScalarAsync(Stop))!;
    }

    /// <summary>One server for all of them.</summary>
    public sealed class Originals : IAsyncLifetime
    {
        public PostgreSqlServer? Server { get; private set; }

        public async ValueTask InitializeAsync() => Server = await PostgreSqlServer.TryStartAsync("fsync=off");

        public async ValueTask DisposeAsync()
        {
            if (Server is not null)
            {
                await Server.DisposeAsync();
            }
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var tries = 0; !await HoldsAsync(); tries++)
        {
            Assert.True(tries < 1200, "It does not come true.");
            await Task.Delay(100, Stop);
        }

        // What nobody can say for the moment, on a starved machine too, is asked again.
        async Task<bool> HoldsAsync()
        {
            try
            {
                return await condition();
            }
            catch (InvalidOperationException failure) when (failure.Message.StartsWith("503", StringComparison.Ordinal))
            {
                return false;
            }
        }
    }
}

internal static class ImportTestAnswers
{
    /// <summary>The status word.</summary>
    public static string? Word(this JsonNode answer) => (string?)answer["status"];

    /// <summary>Does something again and again until the work is over.</summary>
    public static async Task<T> WaitForAsync<T>(this Task<T> work, Func<Task> meanwhile)
    {
        while (!work.IsCompleted)
        {
            await meanwhile();
            await Task.WhenAny(work, Task.Delay(100));
        }

        return await work;
    }
}
