using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grid.TestKit;

namespace Grid.Adversary.Tests.Strangers;

/// <summary>Somebody opens connections, and says nothing on them.</summary>
public sealed class ConnectionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-connections-").FullName;
    private readonly List<Socket> _sockets = [];

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(1024, 2000)]
    [InlineData(2000, 1900)]
    public async Task Silence_on_the_front_stops_neither_core_nor_probes_nor_sessions_and_ends_by_itself(int descriptors, int silent)
    {
        using var grid = await StartAsync(descriptors);
        var front = FrontOf(grid);
        var session = await grid.Http.CreateAsync("victim");
        var patience = Stopwatch.StartNew();
        for (var i = 0; i < silent; i++)
        {
            Connect(front);
        }

        // As long as the silence is suffered, and longer than the process once lived under it.
        while (patience.Elapsed < TimeSpan.FromSeconds(14))
        {
            Assert.Equal("OK", await grid.Http.VerifyAsync(session.Access));
            await grid.Http.CreateAsync("another");
            Assert.Equal(HttpStatusCode.OK, (await grid.Http.GetAsync("/health/ready")).StatusCode);
            await Task.Delay(200);
        }

        Assert.False(grid.HasExited, grid.Output);
        Assert.All(_sockets, socket => Assert.True(IsClosed(socket)));
        using var browser = new HttpClient { BaseAddress = new Uri($"http://{front}") };
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/auth/verify")).StatusCode);
        Assert.InRange(grid.Output.Split('\n').Count(line => line.Contains("Grid.Connections", StringComparison.Ordinal)), 1, 12);
        Assert.DoesNotContain("fail:", grid.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_on_the_core_stops_neither_front_nor_renewals()
    {
        using var grid = await StartAsync(1024);
        var front = FrontOf(grid);
        for (var i = 0; i < 1500; i++)
        {
            Connect(new IPEndPoint(IPAddress.Loopback, grid.Http.BaseAddress!.Port));
        }

        using var browser = new HttpClient { BaseAddress = new Uri($"http://{front}") };
        var patience = Stopwatch.StartNew();
        while (patience.Elapsed < TimeSpan.FromSeconds(11))
        {
            Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/health/ready")).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/auth/verify")).StatusCode);
            await Task.Delay(200);
        }

        Assert.Equal("Hello\n", await grid.Http.GetStringAsync("/hello"));
    }

    [Fact]
    public async Task A_request_that_comes_letter_by_letter_is_given_up()
    {
        using var grid = await StartAsync(4096);
        var socket = Connect(FrontOf(grid));
        var patience = Stopwatch.StartNew();
        foreach (var letter in $"GET /auth/verify HTTP/1.1\r\nHost: localhost\r\nX-Slow: {new string('a', 10_000)}")
        {
            try
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes([letter]));
            }
            catch (SocketException)
            {
                break;
            }

            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(40), "It is still listened to.");
            await Task.Delay(250);
            if (IsClosed(socket))
            {
                break;
            }
        }

        Assert.True(IsClosed(socket));
    }

    [Fact]
    public async Task Too_few_descriptors_are_refused_with_the_repair_and_few_are_warned_of()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(380));
        Assert.Contains("LimitNOFILE", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Message, StringComparison.Ordinal);

        using var grid = await StartAsync(1024);
        Assert.Contains("may open only 1024 files and sockets", grid.Output, StringComparison.Ordinal);
    }

    private static IPEndPoint FrontOf(GridProcess grid) =>
        new(IPAddress.Loopback, new Uri(grid.Output.Split("Front for browsers listens on ")[1].Split('\n')[0].Trim()).Port);

    // Ended by the other side, or refused on arrival.
    private static bool IsClosed(Socket socket)
    {
        try
        {
            if (!socket.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            {
                return false;
            }

            // An answer may come before the end.
            var buffer = new byte[4096];
            return socket.Receive(buffer) == 0 || IsClosed(socket);
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private Task<GridProcess> StartAsync(int descriptors) =>
        GridProcess.ServeAsync(_folder, ["bash", "-c", $"ulimit -n {descriptors}; exec \"$@\"", "--"], []);

    private Socket Connect(IPEndPoint door)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        try
        {
            socket.Connect(door);
        }
        catch (SocketException)
        {
            // Turned away while it was being made.
        }

        return socket;
    }
}
