using System.Security.Cryptography.X509Certificates;
using Grid.GrainDoors.Certificates;

namespace Grid.Hosting.Serving;

/// <summary>Says which certificate is in use, looks for another one also while nobody connects, and warns before it expires.</summary>
internal sealed partial class CertificateWatch : BackgroundService
{
    /// <summary>How long before its end a certificate is worth a warning.</summary>
    public static readonly TimeSpan WarnBefore = TimeSpan.FromDays(14);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WarnEvery = TimeSpan.FromDays(1);

    private readonly PeerCertificates _certificates;
    private readonly TimeProvider _clock;
    private readonly ILogger<CertificateWatch> _logger;
    private DateTimeOffset _warned;

    public CertificateWatch(PeerCertificates certificates, TimeProvider clock, ILogger<CertificateWatch> logger)
    {
        (_certificates, _clock, _logger) = (certificates, clock, logger);
        certificates.Changed += Say;
        certificates.Unusable += SayUnusable;
    }

    public override void Dispose()
    {
        _certificates.Changed -= Say;
        _certificates.Unusable -= SayUnusable;
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Say(_certificates.Current);
        using var timer = new PeriodicTimer(LookEvery, _clock);
        do
        {
            WarnInTime(_certificates.Current);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private void WarnInTime(X509Certificate2 own)
    {
        var now = _clock.GetUtcNow();
        var end = new DateTimeOffset(own.NotAfter.ToUniversalTime());
        if (end - now < WarnBefore && now - _warned > WarnEvery)
        {
            _warned = now;
            Log.Expires(_logger, own.Subject, end);
        }
    }

    private void Say(X509Certificate2 own) => Log.InUse(_logger, own.Subject, own.Thumbprint, new DateTimeOffset(own.NotAfter.ToUniversalTime()));

    private void SayUnusable(string why) => Log.Unusable(_logger, why);

    private static partial class Log
    {
        [LoggerMessage(1040, LogLevel.Information, "Between silos and on the gateway: mutual TLS by the certificate {Subject} ({Thumbprint}), valid until {End:u}")]
        public static partial void InUse(ILogger logger, string subject, string thumbprint, DateTimeOffset end);

        [LoggerMessage(1041, LogLevel.Warning, "The certificate's files have changed and cannot be used; what was read before is in use. {Why}")]
        public static partial void Unusable(ILogger logger, string why);

        [LoggerMessage(1042, LogLevel.Warning, "The certificate {Subject} expires at {End:u}: replace its files before, no restart is needed. Without it no silo and no service connects")]
        public static partial void Expires(ILogger logger, string subject, DateTimeOffset end);
    }
}
