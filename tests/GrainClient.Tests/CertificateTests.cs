using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grid.Client;
using Grid.GrainClient.Clusters;
using Grid.TestKit;

namespace Grid.GrainClient.Tests;

/// <summary>Silos that speak TLS to each other and to services, as processes of their own.</summary>
public sealed class CertificateTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _other = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task With_certificates_silos_and_services_do_everything_and_without_the_right_one_nobody_gets_a_word_in()
    {
        await using var cluster = await Cluster.NewAsync();
        var silo = _authority.Silo();
        var gateway = await cluster.ServeOpenAsync(silo.Settings);
        await cluster.ServeAsync(0, _authority.Silo("silo-2").Settings);
        await using var worker = await StartAsync(gateway, _authority.Service());
        var made = await EventuallyAsync(() => worker.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop));
        Assert.Equal(SessionVerdict.Ok, (await worker.Sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, true), Stop)).Verdict);

        // Both silos and this service: messages cross in all directions.
        Assert.Equal(3, (await worker.Sessions.RevokeAsync(made.Handle, Stop)).Receipt.Confirmed);

        var refused = new (TestCertificate? Certificate, string Why)[]
        {
            (null, "it shows no certificate, speaks no TLS"),
            (_other.Service() with { Authority = _authority.Root }, "its certificate is not of the trusted authority"),
            (_authority.Service("late", isExpired: true), "is expired or not valid yet"),
            (_authority.Issue("unsaid", []), "is not for client authentication"),
        };
        foreach (var (certificate, why) in refused)
        {
            await RefusedAsync(gateway, certificate);
            await SaidAsync(cluster.Silos[0], why);
        }

        // A service's certificate makes no silo.
        var peers = SiloPort(cluster.Silos[0]);
        await RefusedAsync(peers, _authority.Service());
        await SaidAsync(cluster.Silos[0], "silo port: its certificate is a service's, not a silo's");
        await RefusedAsync(peers, null);

        // The same with a silo's, to see that this would show an answer.
        Assert.NotNull(await AnswerAsync(gateway, silo));
    }

    [Fact]
    public async Task A_service_is_told_why_it_gets_no_connection()
    {
        await using var cluster = await Cluster.NewAsync();
        var gateway = await cluster.ServeOpenAsync(_authority.Silo().Settings);

        // Its own certificate would be refused by itself, as by its options: so it trusts both authorities.
        var both = Path.Combine(Path.GetDirectoryName(_other.Root)!, "both.pem");
        await File.WriteAllTextAsync(both, await File.ReadAllTextAsync(_authority.Root, Stop) + "\n" + await File.ReadAllTextAsync(_other.Root, Stop), Stop);
        await using var foreign = await StartAsync(gateway, _other.Service() with { Authority = both });
        await using var deceived = await StartAsync(gateway, _other.Service());
        await using var bare = await StartAsync(gateway, null);

        Assert.Contains("does not accept this service's", await FailureAsync(foreign), StringComparison.Ordinal);
        Assert.Contains("a silo was refused: its certificate is not of the trusted authority", await FailureAsync(deceived), StringComparison.Ordinal);
        Assert.Contains("There is no connection to Grid's silos", await FailureAsync(bare), StringComparison.Ordinal);
    }

    [Fact]
    public void A_connection_that_is_in_use_was_not_refused_whatever_ends_it_later()
    {
        var refusal = new Refusal();
        refusal.Judged("its certificate is not of the trusted authority");
        Assert.Contains("a silo was refused: its certificate", refusal.Why, StringComparison.Ordinal);
        refusal.Judged(null);
        Assert.Contains("does not accept this service's", refusal.Why, StringComparison.Ordinal);

        // Of two silos the second is connected when the first is in use already.
        refusal.OnGatewayCountChanged(new GatewayCountChangedEventArgs(1, 0));
        refusal.Judged(null);
        refusal.OnGatewayCountChanged(new GatewayCountChangedEventArgs(2, 1));
        refusal.OnGatewayCountChanged(new GatewayCountChangedEventArgs(0, 2));

        Assert.Null(refusal.Why);
    }

    [Fact]
    public async Task Certificates_and_the_authority_are_changed_without_a_restart()
    {
        await using var cluster = await Cluster.NewAsync();
        var silo = _authority.Silo();
        var gateway = await cluster.ServeOpenAsync(silo.Settings);
        var before = await AnswerAsync(gateway, _authority.Service());

        _authority.Silo();
        var after = await AnswerAsync(gateway, _authority.Service());

        Assert.NotNull(before);
        Assert.NotNull(after);
        Assert.NotEqual(before, after);
        Assert.Equal(after, silo.Load().Thumbprint);

        await RefusedAsync(gateway, _other.Service());
        await File.AppendAllTextAsync(_authority.Root, "\n" + await File.ReadAllTextAsync(_other.Root, Stop), Stop);
        Assert.NotNull(await AnswerAsync(gateway, _other.Service()));

        // What cannot be used changes nothing, and is said.
        await File.WriteAllTextAsync(silo.Certificate, "no certificate", Stop);
        Assert.Equal(after, await AnswerAsync(gateway, _authority.Service()));
        await SaidAsync(cluster.Silos[0], "what was read before is in use");
    }

    [Fact]
    public async Task A_silo_with_the_certificate_of_another_authority_does_not_join_and_disturbs_nobody()
    {
        await using var cluster = await Cluster.NewAsync();
        var gateway = await cluster.ServeOpenAsync(_authority.Silo().Settings);
        await using var worker = await StartAsync(gateway, _authority.Service());
        await EventuallyAsync(() => worker.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop));

        var failure = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => cluster.ServeAsync(0, _other.Silo().Settings));

        Assert.DoesNotContain("Ready.", failure.Message, StringComparison.Ordinal);
        await SaidAsync(cluster.Silos[0], "not of the trusted authority");
        var made = await worker.Sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        Assert.NotNull(await worker.Sessions.RevokeAsync(made.Handle, Stop));
    }

    private static Task<Worker> StartAsync(int gateway, TestCertificate? certificate) => Worker.StartAsync(grid =>
    {
        grid.Gateways.Add($"127.0.0.1:{gateway}");
        (grid.ApiKey, grid.Timeout) = (Cluster.ApiKey, TimeSpan.FromSeconds(20));
        if (certificate is not null)
        {
            (grid.CertificateFile, grid.CertificateKeyFile, grid.CertificateAuthorityFile) = (certificate.Certificate, certificate.Key, certificate.Authority);
        }
    });

    // However long it takes on a busy machine: an end is waited for, while those who are let in only show none for a while.
    private static async Task RefusedAsync(int port, TestCertificate? certificate) => Assert.Null(await AnswerAsync(port, certificate, Patience));

    private static Task<string?> AnswerAsync(int port, TestCertificate? certificate) => AnswerAsync(port, certificate, TimeSpan.FromSeconds(3));

    /// <summary>Connects, and begins what opens a connection between silos or of a client: those who are let in are waited for.</summary>
    /// <returns>The thumbprint of the certificate that was shown; null if the connection was ended.</returns>
    private static async Task<string?> AnswerAsync(int port, TestCertificate? certificate, TimeSpan forAnEnd)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(Patience + forAnEnd);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        string? shown = null;
        try
        {
            Stream stream = tcp.GetStream();
            if (certificate is not null)
            {
                using var loaded = certificate.Load();
                var tls = new SslStream(stream);
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        ClientCertificateContext = SslStreamCertificateContext.Create(loaded, [], offline: true),
                        RemoteCertificateValidationCallback = (_, peer, _, _) =>
                        {
                            shown = (peer as X509Certificate2)?.Thumbprint;
                            return shown is not null;
                        },
                    },
                    patience.Token);
                stream = tls;
            }

            // A length, without all that it is the length of.
            await stream.WriteAsync(new byte[] { 255, 0, 0, 0, 1, 2, 3, 4 }, patience.Token);
            using var shortly = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
            shortly.CancelAfter(forAnEnd);
            try
            {
                return await stream.ReadAsync(new byte[16], shortly.Token) == 0 ? null : shown ?? "no certificate";
            }
            catch (OperationCanceledException) when (!patience.IsCancellationRequested)
            {
                return shown ?? "no certificate";
            }
        }
        catch (Exception failure) when (failure is IOException or System.Security.Authentication.AuthenticationException)
        {
            return null;
        }
    }

    private static int SiloPort(GridProcess silo) =>
        int.Parse(silo.Output.Split("Other silos reach this one at 127.0.0.1:")[1].Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture);

    private static async Task SaidAsync(GridProcess silo, string text)
    {
        var waited = Stopwatch.StartNew();
        while (!silo.Output.Contains(text, StringComparison.Ordinal))
        {
            Assert.True(waited.Elapsed < Patience, $"'{text}' is missing from:\n{silo.Output}");
            await Task.Delay(50, Stop);
        }
    }

    private static async Task<string> FailureAsync(Worker worker)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var failure = await Assert.ThrowsAsync<GridException>(() => worker.Sessions.ListAsync("u", null, Stop));
            Assert.Equal(GridFailure.Unavailable, failure.Reason);
            if (worker.Log.Count(4201) > 0 || waited.Elapsed > Patience)
            {
                return failure.Message;
            }

            await Task.Delay(100, Stop);
        }
    }

    private static async Task<T> EventuallyAsync<T>(Func<Task<T>> call)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await call();
            }
            catch (GridException failure) when (failure.Reason == GridFailure.Unavailable && waited.Elapsed < Patience)
            {
                await Task.Delay(100, Stop);
            }
        }
    }
}
