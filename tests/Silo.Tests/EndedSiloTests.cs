using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Grid.Hosting.Presence;
using Grid.Storage;
using Grid.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Grid.Silo.Tests;

/// <summary>Silos that have ended without a word are told from those that live, by more than their silence.</summary>
public sealed class EndedSiloTests : IDisposable
{
    private const string Mark = "00000000000000ab";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-ended-").FullName;
    private readonly Socket _port = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly SiloAddress _silo;

    // Bound and not listening: nothing accepts connections there, and nobody else can.
    public EndedSiloTests()
    {
        _port.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _silo = SiloAddress.New((IPEndPoint)_port.LocalEndPoint!, 1);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _port.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_silo_whose_session_is_over_and_where_nothing_listens_has_ended() =>
        Assert.Equal([_silo], await new EndedSilos(new Presence(Mark)).FindAsync([(_silo, SiloNames.With("host", Mark))], Stop));

    [Fact]
    public async Task A_silo_that_accepts_connections_lives_whatever_became_of_its_session()
    {
        _port.Listen();
        Assert.Empty(await new EndedSilos(new Presence(Mark)).FindAsync([(_silo, SiloNames.With("host", Mark))], Stop));
    }

    [Fact]
    public async Task A_silo_with_a_session_lives_though_nothing_of_it_can_be_reached_from_here() =>
        Assert.Empty(await new EndedSilos(new Presence()).FindAsync([(_silo, SiloNames.With("host", Mark))], Stop));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_silo_that_has_begun_another_session_when_it_is_looked_for_again_lives(int looks) =>
        Assert.Empty(await new EndedSilos(new Presence(Mark) { Looks = looks }).FindAsync([(_silo, SiloNames.With("host", Mark))], Stop));

    [Fact]
    public async Task Of_a_silo_without_a_mark_nothing_is_said()
    {
        (SiloAddress, string?)[] silos = [(_silo, SiloNames.With("host", null)), (_silo, "Silo_3f1a"), (_silo, null)];
        Assert.Empty(await new EndedSilos(new Presence(Mark)).FindAsync(silos, Stop));
    }

    [Fact]
    public void A_long_machine_name_leaves_room_for_the_mark()
    {
        var name = SiloNames.With(new string('m', 300), Mark);
        Assert.True(name.Length <= 150);
        Assert.Equal(Mark, SiloNames.MarkOf(name));
    }

    [Fact]
    public async Task A_silo_that_starts_declares_dead_who_has_ended_and_nobody_else_also_when_the_table_moves_meanwhile()
    {
        var alive = SiloAddress.New(_silo.Endpoint, 2);
        var table = new Table(Row(_silo, Mark), Row(alive, "00000000000000cd")) { Conflicts = 2 };

        await new FormerSilos(table, new EndedSilos(new Presence(Mark)), NullLogger<FormerSilos>.Instance).DeclareDeadAsync(Stop);

        Assert.Equal(SiloStatus.Dead, table.Rows[_silo].Status);
        Assert.Equal(SiloStatus.Active, table.Rows[alive].Status);
    }

    [Fact]
    public async Task A_lone_silo_that_was_killed_joins_again_without_waiting_for_its_former_self()
    {
        await using var server = await PostgreSqlServer.TryStartAsync();
        Assert.SkipWhen(server is null, PostgreSqlServer.Missing ?? "no PostgreSQL");
        (string, string)[] settings =
        [
            ("Grid__Store__ConnectionString", await server!.CreateDatabaseAsync()), ("Grid__Keys__EncryptionKey", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))),
            ("Grid__Front__Enabled", "false"), ("Grid__Cluster__SiloPort", "0"),
        ];
        using (var first = await GridProcess.ServeAsync(_folder, settings))
        {
            await first.KillAsync();
        }

        using var second = await GridProcess.ServeAsync(_folder, settings);

        Assert.Contains("[1050]", second.Output, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"(?i)\bping", second.Output);
        Assert.True((await second.Http.GetAsync("/health/ready", Stop)).IsSuccessStatusCode);
    }

    private static MembershipEntry Row(SiloAddress silo, string mark) => new() { SiloAddress = silo, SiloName = SiloNames.With("host", mark), HostName = "host", Status = SiloStatus.Active };

    private sealed class Presence(params string[] over) : ISiloPresence
    {
        /// <summary>How often they are over; then they have begun others.</summary>
        public int Looks { get; set; } = int.MaxValue;

        public string? Mark => null;

        public Task<StoreStartException> Overtaken { get; } = new TaskCompletionSource<StoreStartException>().Task;

        public Task BeginAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<IReadOnlySet<string>> FindOverAsync(IReadOnlyCollection<string> marks, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlySet<string>>(Looks-- > 0 ? over.Intersect(marks).ToHashSet() : []);
    }

    /// <summary>A cluster's table of which others write, too.</summary>
    private sealed class Table(params MembershipEntry[] rows) : IMembershipTable
    {
        private int _version;

        public Dictionary<SiloAddress, MembershipEntry> Rows { get; } = rows.ToDictionary(row => row.SiloAddress);

        /// <summary>How often somebody else is quicker.</summary>
        public int Conflicts { get; set; }

        public Task InitializeMembershipTable(bool tryInitTableVersion) => Task.CompletedTask;

        public Task<MembershipTableData> ReadAll() => Task.FromResult(new MembershipTableData(
            [.. Rows.Values.Select(row => Tuple.Create(new MembershipEntry { SiloAddress = row.SiloAddress, SiloName = row.SiloName, HostName = row.HostName, Status = row.Status }, $"{_version}"))],
            new TableVersion(_version, $"{_version}")));

        public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion)
        {
            if (Conflicts-- > 0)
            {
                _version++;
            }

            if (tableVersion.Version != _version + 1)
            {
                return Task.FromResult(false);
            }

            (_version, Rows[entry.SiloAddress]) = (tableVersion.Version, entry);
            return Task.FromResult(true);
        }

        public Task<MembershipTableData> ReadRow(SiloAddress key) => throw new NotSupportedException();

        public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => throw new NotSupportedException();

        public Task UpdateIAmAlive(MembershipEntry entry) => throw new NotSupportedException();

        public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => throw new NotSupportedException();

        public Task DeleteMembershipTableEntries(string clusterId) => throw new NotSupportedException();
    }
}
