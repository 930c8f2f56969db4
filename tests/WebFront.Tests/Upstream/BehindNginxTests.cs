using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Grid.WebFront.Tests.Upstream;

/// <summary>A real nginx between clients and Grid, which stands before another core: what passes arrives as it was sent, and what is refused stays refused.</summary>
[Collection(nameof(UpstreamHost))]
public sealed class BehindNginxTests(UpstreamHost host) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-nginx-").FullName;
    private HttpClient? _http;
    private Process? _nginx;

    private string SocketPath => Path.Combine(_folder, "front.sock");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/nginx"), "nginx is not on this machine");
        Directory.CreateDirectory(Path.Combine(_folder, "logs"));
        var temporary = string.Concat(new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(kind => $"{kind}_temp_path {_folder}/{kind};\n"));
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "main.conf"),
            $$"""
            daemon off; master_process off; pid {{_folder}}/pid; error_log stderr;
            events {}
            http {
              access_log off; client_max_body_size 0;
              {{temporary}}
              server {
                listen unix:{{SocketPath}};
                location / { proxy_pass http://{{host.Core.Url.Authority}}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; }
              }
            }
            """);
        _nginx = Process.Start(new ProcessStartInfo("/usr/sbin/nginx", ["-p", _folder, "-c", Path.Combine(_folder, "main.conf")]))!;
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, cancellationToken) => await ConnectAsync(cancellationToken) }) { BaseAddress = new Uri("http://localhost/") };
        _http.DefaultRequestHeaders.Add("api-key", UpstreamHost.Key);
        for (var tries = 0; !File.Exists(SocketPath); tries++)
        {
            Assert.True(tries < 1200 && !_nginx.HasExited, "nginx does not start.");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_nginx is { HasExited: false })
        {
            _nginx.Kill();
            await _nginx.WaitForExitAsync();
        }

        _nginx?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_passes_through_both_arrives_as_it_was_sent()
    {
        host.Behind.Answers.Clear();
        host.Behind.Requests.Clear();
        var large = Convert.ToBase64String(RandomNumberGenerator.GetBytes(2_000_000));
        foreach (var (method, target, body) in new[] { ("GET", "/recipe//roles/?role=%20no%2Fsuch&x=+", null), ("POST", "/appid-a1/t1/recipe/%73ignup", "{ }"), ("POST", "/bulk-import/users", large), ("DELETE", "/recipe/dashboard/user?email=a%40b", "{}") })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri("http://localhost" + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            request.Headers.TryAddWithoutValidation("rid", "emailpassword");
            request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await _http!.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(200, (int)answer.StatusCode);
            var seen = host.Behind.Requests.Last();
            Assert.Equal((method, "/behind" + target, body ?? "", "emailpassword"), (seen.Method, seen.Target, seen.Text, seen.Headers["rid"]));
        }
    }

    [Fact]
    public async Task What_grid_refuses_to_pass_nginx_makes_no_better()
    {
        host.Behind.Answers.Clear();
        host.Behind.Requests.Clear();
        foreach (var path in new[] { "/user%2fremove", "/x/../user;x=1/remove", "/recipe/accountlin%E2%84%AAing/user/link", "/appid-/t1/recipe/session", "/session/recipe/session" })
        {
            using var socket = await ConnectAsync(TestContext.Current.CancellationToken);
            await socket.WriteAsync(
                Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\napi-key: {UpstreamHost.Key}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"), TestContext.Current.CancellationToken);
            using var reader = new StreamReader(socket);
            Assert.Matches("^HTTP/1.1 40[04]", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        }

        Assert.Empty(host.Behind.Requests);
    }

    private async Task<NetworkStream> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
