using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grid.Hosting.Serving;
using Grid.Hosting.Settings;
using Grid.TestKit;

namespace Grid.Silo.Tests;

/// <summary>Ports that are bound once: what others meet between the start's first look and the moment that requests are answered.</summary>
public sealed class HeldPortTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-ports-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public async Task A_held_port_is_nobody_elses_and_refuses_connections_until_it_opens(string address)
    {
        using var held = TakeAnyFixed(IPAddress.Parse(address));
        var port = held.EndPoint.Port;

        Assert.Throws<SocketException>(() => Listen(port));
        Assert.Throws<SettingsException>(() => HeldPort.Take(IPAddress.Loopback, port, "Grid:Front", "Port", "to another"));
        using var early = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => early.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken).AsTask());

        using var open = held.Open();
        Assert.Throws<SocketException>(() => Listen(port));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        using var accepted = await open.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.True(accepted.Connected);
    }

    [Fact]
    public async Task A_port_with_connections_of_an_earlier_process_is_held_and_opened()
    {
        using var earlier = TakeAnyFixed(IPAddress.Loopback);
        var port = earlier.EndPoint.Port;
        using (var listener = earlier.Open())
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);

            // Whoever closes first keeps the connection in TIME_WAIT.
            (await listener.AcceptAsync(TestContext.Current.CancellationToken)).Dispose();
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken));
        }

        using var held = HeldPort.Take(IPAddress.Loopback, port, "Grid:Core", "Port", "to another");
        using var open = held.Open();
        using var next = new TcpClient();
        await next.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_port_that_lets_nobody_in_any_more_keeps_who_is_in_and_refuses_the_others_when_it_closes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux can do that");
        using var held = TakeAnyFixed(IPAddress.Loopback);
        using var open = held.Open();
        using var inside = new TcpClient();
        await inside.ConnectAsync(IPAddress.Loopback, held.EndPoint.Port, TestContext.Current.CancellationToken);

        Assert.True(held.TryStopLettingIn());
        using var late = new TcpClient();
        var knocking = late.ConnectAsync(IPAddress.Loopback, held.EndPoint.Port, TestContext.Current.CancellationToken);
        using var accepted = await open.AcceptAsync(TestContext.Current.CancellationToken);
        await inside.GetStream().WriteAsync("request"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal(7, await accepted.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken));
        Assert.False(open.Poll(0, SelectMode.SelectRead));

        // He knocks again after a second.
        open.Dispose();
        var refusal = await Assert.ThrowsAsync<SocketException>(() => knocking.AsTask());
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
    }

    [Fact]
    public void Any_free_port_is_held_too()
    {
        using var held = HeldPort.Take(IPAddress.Loopback, 0, "Grid:Core", "Port", "to another");

        Assert.NotEqual(0, held.EndPoint.Port);
        Assert.Throws<SocketException>(() => Listen(held.EndPoint.Port));
        using var open = held.Open();
        Assert.Equal(held.EndPoint, open.LocalEndPoint);
    }

    [Fact]
    public async Task A_port_of_a_silo_that_starts_cannot_be_taken_once_the_store_is_touched()
    {
        // The number is free when it is picked; if somebody is faster than the process, it refuses to start, and another is picked.
        while (true)
        {
            int core;
            using (var probe = TakeAnyFixed(IPAddress.Loopback))
            {
                core = probe.EndPoint.Port;
            }

            using var stop = new CancellationTokenSource();
            var stolen = Task.Run(() => StealOnceTheStoreIsTouched(core, stop.Token), CancellationToken.None);
            try
            {
                using var grid = await GridProcess.ServeAsync(_folder, ("Grid__Core__Port", core.ToString(CultureInfo.InvariantCulture)));

                await stop.CancelAsync();
                Assert.False(await stolen);
                Assert.Equal(core, grid.Http.BaseAddress!.Port);
                Assert.Equal("Hello\n", await grid.Http.GetStringAsync("/hello", TestContext.Current.CancellationToken));
                return;
            }
            catch (InvalidOperationException refused) when (refused.Message.Contains("Grid:Core:Port", StringComparison.Ordinal) && !StoreIsTouched)
            {
                await stop.CancelAsync();
                Assert.False(await stolen);
            }
        }
    }

    private bool StoreIsTouched => Directory.Exists(Path.Combine(_folder, "data"));

    private bool StealOnceTheStoreIsTouched(int port, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (StoreIsTouched)
            {
                try
                {
                    using var thief = Listen(port);
                    stop.WaitHandle.WaitOne(TimeSpan.FromMinutes(1));
                    return true;
                }
                catch (SocketException)
                {
                    // Held, as it should be.
                }
            }

            Thread.Sleep(1);
        }

        return false;
    }

    /// <summary>A port that was asked for by its number. The number is free when it is picked; if somebody is faster, another is.</summary>
    private static HeldPort TakeAnyFixed(IPAddress address)
    {
        while (true)
        {
            int port;
            using (var probe = Listen(0))
            {
                port = ((IPEndPoint)probe.LocalEndPoint!).Port;
            }

            try
            {
                return HeldPort.Take(address, port, "Grid:Core", "Port", "to another");
            }
            catch (SettingsException)
            {
                // Somebody else's by now.
            }
        }
    }

    private static Socket Listen(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
