using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Adversary.Tests.Operators;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Adversary.Tests.Strangers;

/// <summary>A local user without any credential looks for a door that nobody meant to open.</summary>
public sealed class PortTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Only_core_and_front_are_open_and_the_silo_port_where_there_are_peers(bool postgreSql)
    {
        await using var installation = await Installation.NewAsync(postgreSql);
        var silo = await installation.ServeAsync(Installation.NewKey());

        Assert.Equal(postgreSql ? 3 : 2, ListeningPorts(silo.Id).Count);
        await silo.Http.CreateAsync("alice");
    }

    [Theory]
    [InlineData("SiloPort")]
    [InlineData("GatewayPort")]
    public async Task A_port_of_the_cluster_that_is_taken_is_said_with_the_setting_and_the_repair(string key)
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        using var thief = new TcpListener(IPAddress.Loopback, 0);
        thief.Start();
        var port = ((IPEndPoint)thief.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        var (code, output) = await installation.TryServeAsync(Installation.NewKey(), ($"Grid__Cluster__{key}", port));

        Assert.Equal(2, code);
        Assert.Contains($"Grid:Cluster:{key} {port}", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.0.2.1")]
    public async Task An_address_that_other_silos_cannot_reach_this_one_by_is_refused(string address)
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);

        var (code, output) = await installation.TryServeAsync(Installation.NewKey(), ("Grid__Cluster__Address", address));

        Assert.Equal(2, code);
        Assert.Contains("Grid:Cluster:Address", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_starts_at_once_get_ports_of_their_own_while_somebody_takes_ports()
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        var key = Installation.NewKey();
        await installation.ServeAsync(key);
        using var stop = new CancellationTokenSource();
        var stealing = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var thief = new TcpListener(IPAddress.Loopback, 0);
                thief.Start();
                Thread.Sleep(1);
            }
        });

        var silos = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => installation.ServeAsync(key)));

        await stop.CancelAsync();
        await stealing;
        Assert.Equal(3 * silos.Length, silos.SelectMany(silo => ListeningPorts(silo.Id)).Distinct().Count());
    }

    [Fact]
    public async Task An_Orleans_client_that_gets_in_by_an_open_gateway_reaches_no_grain()
    {
        await using var installation = await Installation.NewAsync(postgreSql: true);
        var gateway = FreePort();
        var silo = await installation.ServeAsync(
            Installation.NewKey(), ("Grid__Cluster__GatewayPort", gateway.ToString(CultureInfo.InvariantCulture)), ("Grid__Core__ApiKeys", "a-key-that-nobody-has-0123"));
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client => client.UseStaticClustering(new IPEndPoint(IPAddress.Loopback, gateway)).Configure<Orleans.Configuration.ClusterOptions>(
            options => (options.ClusterId, options.ServiceId) = ("grid", "grid")));
        using var outside = builder.Build();
        await outside.StartAsync();
        var grains = outside.Services.GetRequiredService<IGrainFactory>();
        var stop = CancellationToken.None;
        Func<Task>[] calls =
        [
            () => grains.GetGrain<IAppGrain>("public").PutAsync(new TenantChange { CoreConfigPatchJson = """{"api_keys":""}""" }, stop),
            () => grains.GetGrain<IAppGrain>("public").FindAsync(stop),
            () => grains.GetGrain<ICatalogGrain>(0).ListAsync(stop),
            () => grains.GetGrain<ITenantGrain>("public/public").FindAsync(stop),
            () => grains.GetGrain<IUserGrain>("public/public/alice").RevokeAllAsync(true, null, RevocationReason.Requested, stop),
            () => grains.GetGrain<ISessionGrain>($"public/{Guid.NewGuid()}").UpdateAsync("{}", null, stop),
            () => grains.GetGrain<ISigningKeysGrain>("public").GetAsync(TimeSpan.FromHours(168), TimeSpan.FromHours(1), stop),
            () => grains.GetGrain<ISigningKeysGrain>("public").RemoveAsync(stop),
            () => grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero),
        ];

        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<UnauthorizedAccessException>(call);
        }

        Assert.Contains("[1009] Refused a call to", silo.Output, StringComparison.Ordinal);
        await silo.Http.CreateAsync("alice", "", "a-key-that-nobody-has-0123");
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <summary>Ports on which a process listens, as the kernel lists them.</summary>
    private static IReadOnlyList<int> ListeningPorts(int process)
    {
        const string listens = "0A";
        var sockets = Directory.GetFiles($"/proc/{process}/fd").Select(link => File.ResolveLinkTarget(link, false)?.Name ?? "")
            .Where(name => name.StartsWith("socket:[", StringComparison.Ordinal)).Select(name => name[8..^1]).ToHashSet();
        return
        [
            .. new[] { "/proc/net/tcp", "/proc/net/tcp6" }.Where(File.Exists).SelectMany(File.ReadAllLines)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(columns => columns.Length > 9 && columns[3] == listens && sockets.Contains(columns[9]))
                .Select(columns => int.Parse(columns[1].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
        ];
    }
}
