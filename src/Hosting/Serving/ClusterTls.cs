using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grid.GrainDoors.Certificates;
using Grid.Revocation.Outages;
using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;
using Orleans.Connections.Security;

namespace Grid.Hosting.Serving;

/// <summary>
/// Mutual TLS on the silo port and the gateway. Every connection is judged before its first message: a peer without the right certificate
/// gets none through, and a line in the log, counted.
/// </summary>
internal sealed partial class ClusterTls : IDisposable
{
    private readonly PeerCertificates _certificates;
    private readonly OutageTally _refused;

    // Of the handshake that goes on: what judges a certificate is not told of which connection it is.
    private readonly AsyncLocal<Handshake?> _current = new();

    public ClusterTls(PeerCertificates certificates, TimeProvider clock, ILogger<ClusterTls> logger)
    {
        _certificates = certificates;
        _refused = new OutageTally(
            clock,
            (why, _) => Log.Refused(logger, why),
            more => Log.StillRefused(logger, more.Count, more.Kinds),
            all => Log.Over(logger, all.Count, all.Lasted));
    }

    public static void Use(ISiloBuilder silo, PeerCertificates certificates)
    {
        silo.Services.AddSingleton(provider => new ClusterTls(certificates, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ClusterTls>>()));
        silo.Services.AddSingleton(certificates);
        silo.Services.AddHostedService<CertificateWatch>();
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<ClusterTls>((options, tls) =>
        {
            options.ConfigureSiloInboundConnection(builder => tls.Accept(builder, "silo port", PeerRole.Member));
            options.ConfigureGatewayInboundConnection(builder => tls.Accept(builder, "gateway", PeerRole.Service));
            options.ConfigureSiloOutboundConnection(tls.Connect);
        });
    }

    public void Dispose() => _refused.Dispose();

    private void Accept(IConnectionBuilder builder, string port, PeerRole role)
    {
        builder.Use(next => async connection =>
        {
            var handshake = new Handshake();
            connection.Features.Set(handshake);
            _current.Value = handshake;
            try
            {
                await next(connection);
            }
            finally
            {
                if (!handshake.IsDone)
                {
                    _refused.Met($"{port}: {handshake.WhyNot ?? "it shows no certificate, speaks no TLS, or has ended the handshake"}", null);
                }
            }
        });
        builder.UseServerTls(Options(role));
        builder.Use(next => connection =>
        {
            connection.Features.Get<Handshake>()!.IsDone = true;
            return next(connection);
        });
    }

    private void Connect(IConnectionBuilder builder)
    {
        builder.Use(next => connection =>
        {
            _current.Value = new Handshake { Peer = connection.RemoteEndPoint?.ToString() };
            return next(connection);
        });
        builder.UseClientTls(Options(PeerRole.Silo));
    }

    private TlsOptions Options(PeerRole role) => new()
    {
        RemoteCertificateMode = RemoteCertificateMode.RequireCertificate,
        LocalServerCertificateSelector = (_, _) => _certificates.Current,
        LocalClientCertificateSelector = (_, _, _, _, _) => _certificates.Current,
        RemoteCertificateValidation = (certificate, chain, _) => Accepts(certificate, chain, role),

        // Each connection shows its certificate, to the authority of now.
        OnAuthenticateAsServer = static (_, options) => ((SslServerAuthenticationOptions)options.SslServerAuthenticationOptions).AllowTlsResume = false,
        OnAuthenticateAsClient = static (_, options) => ((SslClientAuthenticationOptions)options.SslClientAuthenticationOptions).AllowTlsResume = false,
    };

    private bool Accepts(X509Certificate2 certificate, X509Chain? chain, PeerRole role)
    {
        var why = _certificates.WhyNot(certificate, chain, role);
        if (why is null || _current.Value is not { } handshake)
        {
            return why is null;
        }

        handshake.WhyNot = why;
        if (handshake.Peer is not null)
        {
            _refused.Met($"a silo that this one has connected to: {why}", null);
        }

        return false;
    }

    private sealed class Handshake
    {
        public string? Peer { get; init; }

        public string? WhyNot { get; set; }

        public bool IsDone { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(1043, LogLevel.Warning, "A connection was refused, {Why}. Further ones are counted")]
        public static partial void Refused(ILogger logger, string why);

        [LoggerMessage(1044, LogLevel.Warning, "{Count} more connections without the right certificate were refused ({Kinds})")]
        public static partial void StillRefused(ILogger logger, long count, string kinds);

        [LoggerMessage(1045, LogLevel.Information, "No more connections without the right certificate; {Count} in {Lasted} were refused")]
        public static partial void Over(ILogger logger, long count, TimeSpan lasted);
    }
}
