using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grid.GrainDoors.Certificates;
using Grid.Grains.Silos;

namespace Grid.Hosting.Joining;

/// <summary>Connects to a silo as this one would, up to where it begins to speak. Nothing is said.</summary>
/// <param name="certificates">For TLS; null without.</param>
internal sealed class PeerProbe(PeerCertificates? certificates)
{
    // The other side's system answers this, however busy its processes are.
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan HandshakePatience = TimeSpan.FromSeconds(10);

    // A silo that accepts a connection says first which cluster it is of.
    private static readonly TimeSpan WordPatience = TimeSpan.FromSeconds(5);

    private enum Heard
    {
        Word,
        Silence,
        End,
    }

    /// <returns>What speaks against it; null if nothing does, or if it does not say: it may be overloaded or stand still.</returns>
    public async Task<PeerTrouble?> AskAsync(IPEndPoint peer, CancellationToken cancellationToken)
    {
        try
        {
            return certificates is null ? await AskPlainAsync(peer, cancellationToken) : await AskTlsAsync(peer, certificates, cancellationToken);
        }
        catch (SocketException failure)
        {
            return new PeerTrouble(PeerTroubleKind.Unreachable, failure.Message);
        }
    }

    private static async Task<PeerTrouble?> AskPlainAsync(IPEndPoint peer, CancellationToken cancellationToken)
    {
        if (await HearAsync(peer, cancellationToken) != Heard.Silence)
        {
            return null;
        }

        // Whoever speaks TLS waits to be greeted.
        using var socket = await ConnectAsync(peer, cancellationToken);
        var showsCertificate = false;
        await using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, _, _, _) =>
        {
            showsCertificate = true;
            return false;
        });
        await TryGreetAsync(tls, null, cancellationToken);
        return showsCertificate ? new PeerTrouble(PeerTroubleKind.SpeaksTls, "") : null;
    }

    private static async Task<PeerTrouble?> AskTlsAsync(IPEndPoint peer, PeerCertificates certificates, CancellationToken cancellationToken)
    {
        string? why = null;
        var isJudged = false;
        using (var socket = await ConnectAsync(peer, cancellationToken))
        {
            await using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, certificate, chain, _) =>
            {
                isJudged = true;
                why = certificates.WhyNot(certificate as X509Certificate2, chain, PeerRole.Silo);
                return why is null;
            });
            var isGreeted = await TryGreetAsync(tls, certificates, cancellationToken);
            if (why is not null)
            {
                return new PeerTrouble(PeerTroubleKind.IsForeign, why);
            }

            if (isJudged)
            {
                // It judges this silo's certificate after the handshake, from here.
                return isGreeted is null || (isGreeted is true && await HearAsync(tls, cancellationToken) != Heard.End) ? null : new PeerTrouble(PeerTroubleKind.RefusesThisOne, "");
            }
        }

        // No handshake. Whoever speaks no TLS speaks first.
        return await HearAsync(peer, cancellationToken) == Heard.Word ? new PeerTrouble(PeerTroubleKind.SpeaksNoTls, "") : null;
    }

    /// <returns>Whether they understand each other; null if it did not say in time.</returns>
    private static async Task<bool?> TryGreetAsync(SslStream tls, PeerCertificates? certificates, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(HandshakePatience);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    AllowTlsResume = false,
                    LocalCertificateSelectionCallback = certificates is null ? null : (_, _, _, _, _) => certificates.Current,
                },
                patience.Token);
            return true;
        }
        catch (Exception failure) when (failure is AuthenticationException or IOException)
        {
            return patience.IsCancellationRequested ? null : false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static async Task<Heard> HearAsync(IPEndPoint peer, CancellationToken cancellationToken)
    {
        using var socket = await ConnectAsync(peer, cancellationToken);
        await using var stream = new NetworkStream(socket);
        return await HearAsync(stream, cancellationToken);
    }

    private static async Task<Heard> HearAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(WordPatience);
        try
        {
            return await stream.ReadAsync(new byte[1], patience.Token) == 0 ? Heard.End : Heard.Word;
        }
        catch (IOException)
        {
            return Heard.End;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Heard.Silence;
        }
    }

    private static Task<Socket> ConnectAsync(IPEndPoint peer, CancellationToken cancellationToken) => PeerPort.ConnectAsync(peer, ConnectPatience, cancellationToken);
}
