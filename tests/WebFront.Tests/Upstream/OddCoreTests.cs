using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grid.WebFront.Upstream;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>A Grid before what answers as no core should.</summary>
public sealed class OddCoreHost : IAsyncLifetime
{
    internal RawCore Behind { get; } = new();

    internal CoreHost Core { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Behind.Start();
        Core = new CoreHost
        {
            Settings = new Dictionary<string, string?>
            {
                ["Grid:Upstream:Uri"] = Behind.Url.ToString(),
                ["Grid:Upstream:ApiKey"] = StandInCore.Key,
                ["Grid:Upstream:Timeout"] = "3m",
                ["Grid:Upstream:ConnectTimeout"] = "1m",
            },
        };
        await Core.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Core.DisposeAsync();
        await Behind.DisposeAsync();
    }
}

/// <summary>Whatever answers behind Grid: what is an answer arrives, what is none is told in words, and nothing of one request comes into another.</summary>
public sealed class OddCoreTests(OddCoreHost host) : IClassFixture<OddCoreHost>
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    private CoreHost Core => host.Core;

    private RawCore Behind => host.Behind;

    [Theory]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nabc", 200)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", 200)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", 200)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n1;x=1\r\na\r\n2\r\nbc\r\n0\r\nx-sum: 1\r\n\r\n", 200)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200)]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 3\r\n\r\nabc", 302)]
    [InlineData("HTTP/1.1 308 Permanent Redirect\r\nLocation: /recipe/roles\r\nContent-Length: 3\r\n\r\nabc", 308)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond", 200)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc and more", 200)]
    [InlineData("HTTP/1.1 299 \r\nContent-Length: 3\r\n\r\nabc", 299)]
    public async Task What_is_an_answer_arrives_and_the_next_request_gets_its_own(string bytes, int status)
    {
        Behind.Answers["/recipe/odd"] = async request =>
        {
            await request.WriteAsync(bytes);
            return false;
        };
        Behind.Answers["/recipe/plain"] = async request =>
        {
            await request.WriteJsonAsync("""{"plain":1}""");
            return true;
        };
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Core.Url };
        for (var again = 0; again < 2; again++)
        {
            using var answer = await http.GetAsync("/recipe/odd", TestContext.Current.CancellationToken);
            Assert.Equal((status, "abc"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
            Assert.Equal("""{"plain":1}""", await http.GetStringAsync("/recipe/plain", TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("", "cannot be reached")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le", "cannot be reached")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n", "is not a SuperTokens core")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "is not a SuperTokens core")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc", "is not a SuperTokens core")]
    [InlineData("HTTP/1.1 200 OK\r\nno header\r\n\r\n", "is not a SuperTokens core")]
    [InlineData("HUGE", "is not a SuperTokens core")]
    public async Task What_is_none_is_told_in_words(string bytes, string words)
    {
        Behind.Answers["/recipe/odd"] = async request =>
        {
            await request.WriteAsync(bytes == "HUGE" ? $"HTTP/1.1 200 OK\r\nX-Large: {new string('x', 200_000)}\r\nContent-Length: 0\r\n\r\n" : bytes);
            return false;
        };

        var answer = await Core.PostAsync("/recipe/odd", new { });

        Assert.Equal((503, "1"), (answer.Status, answer.Headers.RetryAfter?.ToString()));
        Assert.Contains(words, answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nno number\r\n")]
    public async Task What_ends_too_soon_is_cut_and_not_taken_for_whole(string bytes)
    {
        Behind.Answers["/recipe/odd"] = async request =>
        {
            await request.WriteAsync(bytes);
            return false;
        };
        try
        {
            // Nothing of it has been sent on yet.
            Assert.Equal(503, (await Core.SendAsync("GET", "/recipe/odd")).Status);
        }
        catch (HttpRequestException)
        {
            // Cut.
        }
    }

    [Fact]
    public async Task What_is_packed_arrives_packed_and_grid_asks_for_plain_answers()
    {
        using var packed = new MemoryStream();
        await using (var packing = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            packing.Write("""{"status":"OK"}"""u8);
        }

        static async Task<bool> AnswerAsync(RawRequest request, string json)
        {
            await request.WriteJsonAsync(json);
            return true;
        }

        async Task<bool> PackedAsync(RawRequest request)
        {
            await request.ReadBodyAsync();
            await request.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {packed.Length}\r\n\r\n{Encoding.Latin1.GetString(packed.ToArray())}");
            return true;
        }

        Behind.Answers["/recipe/packed"] = PackedAsync;
        Behind.Answers["/recipe/accountlinking/user/link"] = PackedAsync;
        Behind.Answers["/apiversion"] = request => AnswerAsync(request, """{"versions":["5.4"]}""");
        Behind.Answers["/user/id"] = request => AnswerAsync(request, """{"status":"UNKNOWN_USER_ID_ERROR"}""");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Core.Url, "/recipe/packed"));
        request.Headers.Add("Accept-Encoding", "gzip");
        using var http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None });
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(["gzip"], answer.Content.Headers.ContentEncoding);
        Assert.Equal(packed.ToArray(), await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));

        // What Grid has to read and cannot is not handed on as if it were plain.
        Behind.Heads.Clear();
        Assert.Equal(503, (await Core.PostAsync("/recipe/accountlinking/user/link", new { recipeUserId = "a", primaryUserId = "b" })).Status);
        Assert.Contains("Accept-Encoding: identity\r\n", Assert.Single(Behind.Heads, head => head.Contains("/link ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_an_end_is_streamed_and_ends_when_the_client_leaves()
    {
        var ended = new TaskCompletionSource();
        Behind.Answers["/recipe/endless"] = async request =>
        {
            await request.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            try
            {
                while (true)
                {
                    await request.WriteAsync("1000\r\n" + new string('x', 0x1000) + "\r\n");
                }
            }
            finally
            {
                ended.SetResult();
            }
        };

        using (var answer = await Core.Http.GetAsync("/recipe/endless", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await stream.ReadExactlyAsync(new byte[1024 * 1024], TestContext.Current.CancellationToken);
        }

        await ended.Task.WaitAsync(Bound, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_answer_from_before_the_request_was_read_arrives()
    {
        var large = new string('x', 2_000_000);
        Behind.Answers["/bulk-import/users"] = async request =>
        {
            await request.WriteAsync("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
            await request.Stream.CopyToAsync(Stream.Null);
            return false;
        };

        var answer = await Core.PostAsync("/bulk-import/users", large);

        Assert.Equal((413, "no"), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task Under_load_a_core_that_is_restarted_costs_503_and_no_request_comes_twice()
    {
        var seen = new ConcurrentDictionary<string, int>();
        Behind.Answers["/recipe/signup"] = async request =>
        {
            seen.AddOrUpdate(await request.ReadBodyAsync(), 1, (_, times) => times + 1);
            await request.WriteJsonAsync("""{"status":"OK"}""");
            return true;
        };
        var answers = new ConcurrentQueue<int>();
        await Parallel.ForEachAsync(Enumerable.Range(0, 300), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = TestContext.Current.CancellationToken }, async (number, _) =>
        {
            if (number % 30 == 0)
            {
                Behind.IsAway = !Behind.IsAway;
            }

            try
            {
                answers.Enqueue((await Core.PostAsync("/recipe/signup", $$"""{"n":{{number}}}""")).Status);
            }
            catch (HttpRequestException)
            {
                // Cut within its answer.
            }
        });
        Behind.IsAway = false;

        Assert.All(answers, status => Assert.True(status is 200 or 503, $"{status}"));
        Assert.All(seen, request => Assert.Equal(1, request.Value));

        // A connection from before may still be found to be cut.
        for (var (good, tries) = (0, 0); good < 5; tries++)
        {
            var answer = await Core.PostAsync("/recipe/signup", $$"""{"n":"after {{tries}}"}""");
            Assert.True(answer.Status == 200 || tries < 60, answer.Text);
            good += answer.Status == 200 ? 1 : 0;
        }
    }

    [Fact]
    public async Task A_grid_whose_core_is_itself_says_so()
    {
        // By a detour, as a load balancer would be one.
        async Task<bool> BackAsync(RawRequest request)
        {
            using var grid = new TcpClient();
            await grid.ConnectAsync(Core.Url.Host, Core.Url.Port);
            await using var stream = grid.GetStream();
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request.Head.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal) + await request.ReadBodyAsync()));
            await stream.CopyToAsync(request.Stream);
            return false;
        }

        Behind.Answers["/recipe/roles"] = BackAsync;
        Behind.Answers["/user/remove"] = BackAsync;
        foreach (var (method, path) in new[] { ("GET", "/recipe/roles"), ("POST", "/user/remove") })
        {
            var answer = await Core.SendAsync(method, path, method == "GET" ? null : new { userId = "u", removeAllLinkedAccounts = false });
            Assert.Equal(503, answer.Status);
            Assert.Contains("leads back to Grid", answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_name_with_a_dead_address_leads_to_the_other_one()
    {
        using var dead = new BlackHole();
        await using var alive = new RawCore();
        alive.Start();

        // Both on one port, which is the living one's: the dead one is told from it by its address.
        using var client = new UpstreamClient(
            new UpstreamSettings { Uri = new Uri($"http://core.test:{alive.Url.Port}"), ConnectTimeout = Bound, Timeout = Bound },
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.2"), IPAddress.Loopback]));
        Assert.Equal(UpstreamTrouble.None, (await client.AskAsync("GET", "/apiversion", null, null, null, null, TestContext.Current.CancellationToken)).Trouble);

        using var both = new UpstreamClient(
            new UpstreamSettings { Uri = new Uri($"http://core.test:{dead.Port}"), ConnectTimeout = Bound, Timeout = Bound },
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, IPAddress.Parse("127.0.0.3")]));
        using var other = new TcpListener(IPAddress.Parse("127.0.0.3"), dead.Port);
        other.Start();
        var asked = both.AskAsync("GET", "/apiversion", null, null, null, null, TestContext.Current.CancellationToken);
        using var accepted = await other.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Bound, TestContext.Current.CancellationToken);
        await accepted.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal(UpstreamTrouble.None, (await asked).Trouble);
    }

    [Fact]
    public async Task An_address_that_swallows_everything_is_away_after_the_connect_timeout()
    {
        using var dead = new BlackHole();
        using var client = new UpstreamClient(new UpstreamSettings { Uri = new Uri($"http://127.0.0.1:{dead.Port}"), ConnectTimeout = TimeSpan.FromSeconds(1), Timeout = Bound });
        Assert.Equal(UpstreamTrouble.Away, (await client.AskAsync("GET", "/apiversion", null, null, null, null, TestContext.Current.CancellationToken)).Trouble);

        // The same for what passes, at which the time-out of answers is no measure.
        await using var core = new CoreHost
        {
            Settings = new Dictionary<string, string?>
            {
                ["Grid:Upstream:Uri"] = $"http://127.0.0.1:{dead.Port}",
                ["Grid:Upstream:ApiKey"] = StandInCore.Key,
                ["Grid:Upstream:Timeout"] = "3m",
                ["Grid:Upstream:ConnectTimeout"] = "1s",
            },
        };
        await core.InitializeAsync();
        var answer = await core.PostAsync("/recipe/signin", new { });
        Assert.Equal(503, answer.Status);
        Assert.Contains("cannot be reached", answer.Text, StringComparison.Ordinal);
        Assert.Equal(200, (await core.SendAsync("GET", "/hello")).Status);

        // It never said which versions it serves: an SDK that picked one of Grid's alone would keep it. On a starved machine it is found to be slow.
        foreach (var path in new[] { "/apiversion", "/appid-public/public/apiversion" })
        {
            var versions = await core.SendAsync("GET", path);
            Assert.InRange(versions.Status, 503, 504);
            Assert.Equal("1", versions.Headers.RetryAfter?.ToString());
        }
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_told_as_such()
    {
        using var key = RSA.Create(2048);
        var order = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var made = order.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        await using var behind = new RawCore
        {
            Dress = async stream =>
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(certificate);
                return tls;
            },
        };
        behind.Start();
        using var client = new UpstreamClient(new UpstreamSettings { Uri = new Uri($"https://127.0.0.1:{behind.Url.Port}"), ConnectTimeout = Bound, Timeout = Bound });

        var answer = await client.AskAsync("GET", "/apiversion", null, null, null, null, TestContext.Current.CancellationToken);

        Assert.Equal(UpstreamTrouble.Untrusted, answer.Trouble);
        Assert.Contains("certificate", UpstreamFailures.Describe(answer.Trouble, "core"), StringComparison.Ordinal);
        Assert.Empty(behind.Heads);
    }

    [Theory]
    [InlineData("http://core:3567", "http://core:3567/recipe/roles?x=%2F")]
    [InlineData("http://core:3567/", "http://core:3567/recipe/roles?x=%2F")]
    [InlineData("https://core/base/path", "https://core/base/path/recipe/roles?x=%2F")]
    [InlineData("https://core/base/path//", "https://core/base/path/recipe/roles?x=%2F")]
    [InlineData("http://[::1]:80/b%20c", "http://[::1]/b%20c/recipe/roles?x=%2F")]
    public void What_is_asked_for_follows_the_base_path(string uri, string expected)
    {
        Assert.Null(UpstreamSettings.WhyNot(uri));
        using var client = new UpstreamClient(new UpstreamSettings { Uri = new Uri(uri) });
        Assert.Equal(expected, client.Address("/recipe/roles?x=%2F").AbsoluteUri);
    }

    /// <summary>A port of 127.0.0.1 that is open and takes nobody in: what wants to connect hears nothing.</summary>
    private sealed class BlackHole : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> _waiting = [];

        public BlackHole()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(0);

            // Its queue is full when one of these is not let in.
            for (var number = 0; number < 16; number++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                _waiting.Add(socket);
                _ = socket.ConnectAsync(_listener.LocalEndPoint!).ContinueWith(connecting => connecting.Exception, TaskScheduler.Default);
            }
        }

        public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

        public void Dispose()
        {
            _waiting.ForEach(socket => socket.Dispose());
            _listener.Dispose();
        }
    }
}
