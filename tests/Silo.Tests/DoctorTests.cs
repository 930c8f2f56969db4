using System.Text.Json.Nodes;
using Grid.Hosting.Settings;
using Grid.Silo.Commands;
using Grid.Silo.Diagnosis;
using Grid.Silo.Hosting;
using Grid.TestKit;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Grid.Silo.Tests;

/// <summary><c>grid doctor</c>: each finding, by the fault that it is about.</summary>
public sealed class DoctorTests(DoctorTests.Cluster cluster) : IClassFixture<DoctorTests.Cluster>, IDisposable
{
    private static readonly string Key = Convert.ToBase64String(new byte[32]);
    private static readonly string OtherKey = Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)]);

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-doctor-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_machine_that_nothing_was_started_on_yet_is_well_and_stays_untouched()
    {
        var findings = await ExamineAsync(("Grid__Store__SqlitePath", Path.Combine(_folder, "data", "grid.db")));

        Assert.DoesNotContain(findings, finding => finding.Weight == Weight.Problem);
        Assert.Contains("the next start migrates it", Single(findings, "schema", Weight.Warning), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task A_core_behind_that_does_not_answer_is_a_problem_with_its_address()
    {
        // A port that nobody is given.
        var findings = await ExamineAsync(("Grid__Store__SqlitePath", Path.Combine(_folder, "data", "grid.db")), ("Grid__Upstream__Uri", "http://127.0.0.1:1"));

        Assert.Contains("127.0.0.1:1, cannot be reached. Start it, or correct Grid:Upstream:Uri", Single(findings, "upstream", Weight.Problem), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_setting_is_the_finding_and_a_misspelt_one_is_named_with_the_nearest()
    {
        var findings = await ExamineAsync(("Grid__Session__AccessTokenValidity", "60"), ("Grid__Core__Prot", "1"), ("PASSWORD_RESET_TOKEN_LIFETIME", "5"));

        Assert.Contains("must be a duration with its unit", Single(findings, "settings", Weight.Problem), StringComparison.Ordinal);
        var warned = findings.Where(finding => finding.Weight == Weight.Warning).Select(finding => finding.Text).ToList();
        Assert.Contains(warned, text => text.Contains("Grid:Core:Prot", StringComparison.Ordinal) && text.Contains("Grid:Core:Port?", StringComparison.Ordinal));
        Assert.Contains(warned, text => text.Contains("PASSWORD_RESET_TOKEN_LIFETIME", StringComparison.Ordinal));
        Assert.Equal(3, findings.Count);
    }

    [Fact]
    public async Task Beside_a_silo_over_a_file_it_looks_at_what_it_may_and_by_itself_at_all()
    {
        using (var grid = await GridProcess.ServeAsync(_folder))
        {
            var port = $"{grid.Http.BaseAddress!.Port}";
            var (code, output) = await GridProcess.RunAsync(_folder, ["doctor"]);
            Assert.Equal(0, code);
            Assert.Matches("(?m)^ok +schema ", output);
            Assert.Matches("(?m)^warning +store +Nothing but its schema was looked at: ", output);

            Assert.Equal(0, (await GridProcess.RunAsync(_folder, ["health"], ("Grid__Core__Port", port))).Code);
            await grid.TerminateAsync();
            Assert.Equal(1, (await GridProcess.RunAsync(_folder, ["health"], ("Grid__Core__Port", port))).Code);
        }

        var (alone, json) = await GridProcess.RunAsync(_folder, ["doctor", "--json"]);
        Assert.Equal(0, alone);
        var report = JsonNode.Parse(json)!;
        Assert.True((bool)report["healthy"]!);
        var weights = report["findings"]!.AsArray().ToLookup(finding => $"{finding!["check"]}", finding => $"{finding!["weight"]}");
        Assert.All(new[] { "settings", "certificates", "schema", "encryption key", "clock", "silo ports" }, check => Assert.Contains("ok", weights[check]));

        // How much may be open, and how fast a commit is, is this machine's.
        Assert.All(new[] { "descriptors", "store" }, check => Assert.DoesNotContain("PROBLEM", Assert.Single(weights, group => group.Key == check)));
    }

    [Fact]
    public async Task A_cluster_that_is_well_has_no_problem_and_the_written_row_is_gone()
    {
        var findings = await ExamineAsync(cluster.Settings);

        Assert.True(findings.All(finding => finding.Weight != Weight.Problem), string.Join('\n', findings));
        Assert.Contains("leases: 1;", Single(findings, "holders", Weight.Ok), StringComparison.Ordinal);
        Assert.Contains("1 of 1", Single(findings, "silo ports", Weight.Ok), StringComparison.Ordinal);
        Assert.Contains("opens the database's mark", Single(findings, "encryption key", Weight.Ok), StringComparison.Ordinal);
        Single(findings, "clock", Weight.Ok);
        Assert.Equal(0L, await cluster.ScalarAsync("SELECT count(*) FROM grid_silo_keys WHERE address LIKE 'doctor-%'"));
    }

    [Fact]
    public async Task Silos_that_may_open_more_connections_than_the_server_has_are_a_warning()
    {
        Assert.Contains("max_connections", Single(await ExamineAsync(cluster.Settings), "connections", Weight.Ok), StringComparison.Ordinal);
        var findings = await ExamineAsync([.. cluster.Settings, ("Grid__Store__MaxConnections", "1000")]);

        Assert.Contains("Raise that limit", Single(findings, "connections", Weight.Warning), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Grid__Keys__EncryptionKey", null, "encryption key", "is not the database's")]
    [InlineData("Grid__Cluster__Id", "other", "cluster", "belongs to the cluster 'grid'")]
    [InlineData("Grid__Cluster__Address", "192.0.2.1", "settings", "without TLS")]
    [InlineData("Grid__Store__ConnectionString", "Host=127.0.0.1;Port=1;Username=grid;Database=none", "store", "cannot be reached")]
    public async Task What_a_start_would_refuse_is_a_problem_with_its_repair(string name, string? value, string check, string says)
    {
        var findings = await ExamineAsync([.. cluster.Settings.Where(setting => setting.Name != name), (name, value ?? OtherKey)]);

        Assert.Contains(says, Single(findings, check, Weight.Problem), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_may_forget_is_a_problem_and_a_warning_where_it_was_allowed()
    {
        var database = await cluster.CreateDatabaseAsync();
        (string Name, string Value)[] settings = [("Grid__Store__ConnectionString", $"{database};Options=-csynchronous_commit=off"), ("Grid__Keys__EncryptionKey", Key)];
        Assert.Equal(0, (await GridProcess.RunAsync(_folder, ["migrate"], settings)).Code);

        Assert.Contains("synchronous_commit=off", Single(await ExamineAsync(settings), "store", Weight.Problem), StringComparison.Ordinal);
        var allowed = await ExamineAsync([.. settings, ("Grid__Store__AllowUnsafeDurability", "true")]);
        Assert.Contains("synchronous_commit=off", Single(allowed, "store", Weight.Warning), StringComparison.Ordinal);
        Assert.DoesNotContain(allowed, finding => finding.Weight == Weight.Problem);
    }

    [Fact]
    public async Task A_silo_that_hangs_is_named_and_so_is_one_whose_port_cannot_be_reached()
    {
        // Two rows as silos write them: one stands still, the other renews from behind a closed port.
        var (silent, shut) = (Guid.NewGuid(), Guid.NewGuid());
        using var stop = new CancellationTokenSource();
        var renewing = Task.CompletedTask;
        NpgsqlConnection? held = null;
        try
        {
            // The silo removes the one that stands still after three seconds: it must not, however long this takes.
            while (held is null)
            {
                await cluster.ScalarAsync($"""
                    INSERT INTO grid_holder (incarnation, kind, name, address, lease_ms, counter, protocol)
                    VALUES ('{silent}', 1, 'hanging', '127.0.0.1:1@1', 2000, 1, 1), ('{shut}', 1, 'behind a wall', '127.0.0.1:1@2', 60000, 1, 1)
                    ON CONFLICT DO NOTHING RETURNING 1
                    """);
                held = await cluster.TryHoldAsync($"SELECT 1 FROM grid_holder WHERE incarnation = '{silent}' FOR UPDATE");
            }

            renewing = Task.Run(
                async () =>
                {
                    while (!stop.IsCancellationRequested)
                    {
                        await cluster.ScalarAsync($"UPDATE grid_holder SET counter = counter + 1 WHERE incarnation = '{shut}' RETURNING 1");
                        await Task.Delay(100, CancellationToken.None);
                    }
                },
                TestContext.Current.CancellationToken);
            var findings = await ExamineAsync(cluster.Settings);

            Assert.Contains(findings, finding => finding is { Check: "holders", Weight: Weight.Warning } && finding.Text.StartsWith("Silo hanging at 127.0.0.1:1@1 has not renewed", StringComparison.Ordinal));
            Assert.Contains("behind a wall renews its lease, and its silo port cannot be reached", Single(findings, "silo ports", Weight.Problem), StringComparison.Ordinal);
        }
        finally
        {
            await stop.CancelAsync();
            await renewing;
            if (held is not null)
            {
                await held.DisposeAsync();
            }

            await cluster.ScalarAsync($"DELETE FROM grid_holder WHERE incarnation IN ('{silent}', '{shut}') RETURNING 1");
        }
    }

    [Fact]
    public void Certificates_are_read_and_their_end_is_told_in_time()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        var silo = authority.Silo();
        var end = silo.Load().NotAfter.ToUniversalTime();
        Finding Of(TestCertificate files, TimeSpan before) =>
            SettingsDiagnosis.OfCertificates(GridSettings.Read(Read([.. cluster.Settings, .. files.Settings])), new FixedClock(new DateTimeOffset(end) - before));

        Assert.Equal(Weight.Ok, Of(silo, TimeSpan.FromDays(15)).Weight);
        Assert.Equal(Weight.Warning, Of(silo, TimeSpan.FromDays(13)).Weight);
        Assert.Equal(Weight.Problem, Of(silo, TimeSpan.FromDays(-1)).Weight);
        Assert.Contains("not of the trusted authority", Of(silo with { Authority = stranger.Root }, TimeSpan.FromDays(15)).Text, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Of(silo with { Key = silo.Key + ".none" }, TimeSpan.FromDays(15)).Text, StringComparison.Ordinal);
    }

    private static string Single(IReadOnlyList<Finding> findings, string check, Weight weight)
    {
        var found = findings.Where(finding => finding.Check == check && finding.Weight == weight).ToList();
        Assert.True(found.Count == 1, string.Join('\n', findings));
        return found[0].Text;
    }

    // What begins with Grid__ as if it had been said on the command line: this process's own environment is not touched.
    private static IConfigurationRoot Read((string Name, string Value)[] environment)
    {
        var ours = environment.ToLookup(setting => setting.Name.StartsWith("Grid__", StringComparison.Ordinal));
        return Configuration.Build(
            ours[false].ToDictionary(setting => setting.Name, setting => (string?)setting.Value),
            [.. ours[true].Select(setting => $"--{setting.Name.Replace("__", ":", StringComparison.Ordinal)}={setting.Value}")]);
    }

    private static Task<IReadOnlyList<Finding>> ExamineAsync(params (string Name, string Value)[] environment) =>
        Doctor.ExamineAsync(Read(environment), TestContext.Current.CancellationToken);

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    /// <summary>A PostgreSQL and one silo over it, for all of these.</summary>
    public sealed class Cluster : IAsyncLifetime
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("grid-doctor-silo-").FullName;
        private PostgreSqlServer? _server;
        private GridProcess? _silo;
        private string? _database;

        public (string Name, string Value)[] Settings
        {
            get
            {
                Assert.SkipWhen(_server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
                return [("Grid__Store__ConnectionString", _database!), ("Grid__Keys__EncryptionKey", Key)];
            }
        }

        public async ValueTask InitializeAsync()
        {
            _server = await PostgreSqlServer.TryStartAsync();
            if (_server is not null)
            {
                _database = await _server.CreateDatabaseAsync();
                // Long, so that a busy machine is no finding.
                _silo = await GridProcess.ServeAsync(_folder, [.. Settings, ("Grid__Revocation__Lease", "60s")]);
            }
        }

        public Task<string> CreateDatabaseAsync()
        {
            Assert.SkipWhen(_server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
            return _server!.CreateDatabaseAsync();
        }

        public async Task<object?> ScalarAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(_database);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync();
        }

        /// <summary>Begins a transaction with a statement that locks a row. Whoever disposes the connection ends it.</summary>
        /// <returns>Null if there is no such row.</returns>
        public async Task<NpgsqlConnection?> TryHoldAsync(string sql)
        {
            var connection = new NpgsqlConnection(_database);
            await connection.OpenAsync();
            await connection.BeginTransactionAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            if (await command.ExecuteScalarAsync() is not null)
            {
                return connection;
            }

            await connection.DisposeAsync();
            return null;
        }

        public async ValueTask DisposeAsync()
        {
            _silo?.Dispose();
            if (_server is not null)
            {
                await _server.DisposeAsync();
            }

            Directory.Delete(_folder, recursive: true);
        }
    }
}
