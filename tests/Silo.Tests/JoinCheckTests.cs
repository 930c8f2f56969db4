using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using Grid.GrainDoors.Certificates;
using Grid.Hosting.Joining;
using Grid.Hosting.Settings;
using Grid.TestKit;
using Microsoft.Extensions.Configuration;

namespace Grid.Silo.Tests;

/// <summary>Whom a silo that starts takes to be at work: refusals of whole starts are in Faults.Tests.</summary>
public sealed class JoinCheckTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _stranger = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public JoinCheckTests() => _listener.Start();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _listener.Dispose();
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_answers_at_the_address_of_a_silo_keeps_nobody_out_unless_that_silo_goes_on_writing(bool goesOn)
    {
        var answering = AnswerAsStrangerAsync();
        var check = new JoinCheck(new Table((IPEndPoint)_listener.LocalEndpoint, goesOn), Certificates()).RunAsync(new IPEndPoint(IPAddress.Loopback, 1), Stop);

        if (goesOn)
        {
            Assert.Contains("not of the trusted authority", (await Assert.ThrowsAsync<ClusterStartException>(() => check)).Message, StringComparison.Ordinal);
        }
        else
        {
            await check;
        }

        _listener.Stop();
        await answering;
    }

    private PeerCertificates Certificates()
    {
        var settings = _authority.Silo().Settings.Select(setting => KeyValuePair.Create(setting.Name.Replace("__", ":", StringComparison.Ordinal), (string?)setting.Value))
            .Append(new("Grid:Store:ConnectionString", "Host=127.0.0.1;Username=u;Database=d")).Append(new("Grid:Keys:EncryptionKey", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));
        return new PeerCertificates(GridSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).Certificates!, isSilo: true, TimeProvider.System);
    }

    // As another cluster's silo does, to which the address was given since.
    private async Task AnswerAsStrangerAsync()
    {
        using var certificate = _stranger.Silo().Load();
        while (true)
        {
            try
            {
                using var socket = await _listener.AcceptSocketAsync(Stop);
                await using var tls = new SslStream(new NetworkStream(socket));
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Stop);
            }
            catch (Exception failure) when (failure is System.Security.Authentication.AuthenticationException or IOException)
            {
                // It is refused.
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
        }
    }

    /// <summary>A cluster's table with one silo.</summary>
    private sealed class Table(IPEndPoint address, bool goesOn) : IMembershipTable
    {
        private DateTime _alive = DateTime.UnixEpoch;

        public Task InitializeMembershipTable(bool tryInitTableVersion) => Task.CompletedTask;

        public Task<MembershipTableData> ReadAll()
        {
            _alive = goesOn ? _alive.AddSeconds(1) : _alive;
            var row = new MembershipEntry { SiloAddress = SiloAddress.New(address, 1), SiloName = "host", HostName = "host", Status = SiloStatus.Active, IAmAliveTime = _alive };
            return Task.FromResult(new MembershipTableData([Tuple.Create(row, "1")], new TableVersion(1, "1")));
        }

        public Task<MembershipTableData> ReadRow(SiloAddress key) => throw new NotSupportedException();

        public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => throw new NotSupportedException();

        public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => throw new NotSupportedException();

        public Task UpdateIAmAlive(MembershipEntry entry) => throw new NotSupportedException();

        public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => throw new NotSupportedException();

        public Task DeleteMembershipTableEntries(string clusterId) => throw new NotSupportedException();
    }
}
