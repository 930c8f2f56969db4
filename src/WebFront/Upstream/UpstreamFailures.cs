using System.Net;
using Grid.Revocation.Outages;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Upstream;

/// <summary>What clients and the log are told when the core behind Grid is of no use.</summary>
internal sealed partial class UpstreamFailures : IDisposable
{
    private readonly UpstreamSettings _settings;
    private readonly OutageTally _tally;

    public UpstreamFailures(UpstreamSettings settings, TimeProvider clock, ILogger<UpstreamFailures> logger)
    {
        _settings = settings;
        _tally = new OutageTally(
            clock,
            (what, failure) => Log.Began(logger, what, settings.Name, failure?.GetType().Name ?? "answer"),
            more => Log.GoesOn(logger, more.Count, more.Kinds),
            all => Log.Over(logger, settings.Name, all.Count, all.Lasted));
    }

    /// <summary>Whether it is reachable and usable, in a sentence; null if it is.</summary>
    public static string? Describe(UpstreamTrouble trouble, string name) => trouble switch
    {
        UpstreamTrouble.None => null,
        UpstreamTrouble.Away => $"The core behind Grid, {name}, cannot be reached.",
        UpstreamTrouble.Slow => $"The core behind Grid, {name}, does not answer in time.",
        UpstreamTrouble.WrongKey => $"The core behind Grid, {name}, does not accept the API key that Grid has for it (Grid:Upstream:ApiKey).",
        UpstreamTrouble.Loop => $"Grid:Upstream:Uri, {name}, leads back to Grid: it must be the address of the core behind Grid.",
        UpstreamTrouble.Odd => $"What answers at {name} is not a SuperTokens core that Grid understands.",
        UpstreamTrouble.Untrusted => $"No secure connection to the core behind Grid, {name}, comes about: this machine does not trust its certificate, or it does not speak TLS.",
        UpstreamTrouble.Failing => $"The core behind Grid, {name}, or a proxy before it, answers with an error of its own: its log says why.",
        _ => throw new ArgumentOutOfRangeException(nameof(trouble)),
    };

    /// <summary>Counts it and answers 503, or 504 if it is only slow. Where the answer has begun the connection is cut.</summary>
    public Task WriteAsync(HttpContext context, UpstreamTrouble trouble, Exception? failure)
    {
        var refusal = Refuse(context, trouble, failure);
        return CoreResponse.WriteTextAsync(context, refusal.Status, refusal.Message);
    }

    /// <summary>Counts it where something else is answered.</summary>
    /// <returns>What is wrong, in a sentence.</returns>
    public string Count(UpstreamTrouble trouble)
    {
        _tally.Met(Kind(trouble), failure: null);
        return Describe(trouble, _settings.Name)!;
    }

    /// <summary>The same for throwing.</summary>
    public CoreException Refuse(HttpContext context, UpstreamTrouble trouble, Exception? failure = null)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return Refuse(trouble, failure);
    }

    /// <summary>The same where there is no answer yet.</summary>
    public CoreException Refuse(UpstreamTrouble trouble, Exception? failure = null)
    {
        _tally.Met(Kind(trouble), failure);
        var status = trouble == UpstreamTrouble.Slow ? HttpStatusCode.GatewayTimeout : HttpStatusCode.ServiceUnavailable;
        return new CoreException((int)status, $"{Describe(trouble, _settings.Name)} Sessions go on; please retry this later");
    }

    public void Dispose() => _tally.Dispose();

    private static string Kind(UpstreamTrouble trouble) => trouble switch
    {
        UpstreamTrouble.Away => "cannot be reached",
        UpstreamTrouble.Slow => "does not answer in time",
        UpstreamTrouble.WrongKey => "does not accept Grid:Upstream:ApiKey",
        UpstreamTrouble.Loop => "is Grid itself",
        UpstreamTrouble.Odd => "answers what Grid does not understand",
        UpstreamTrouble.Untrusted => "shows no certificate that this machine trusts, or does not speak TLS",
        UpstreamTrouble.Failing => "answers with an error of its own",
        _ => throw new ArgumentOutOfRangeException(nameof(trouble)),
    };

    private static partial class Log
    {
        [LoggerMessage(3130, LogLevel.Warning, "The core behind Grid {What}: {Upstream} ({Failure}). Its routes are answered 503 or 504; sessions go on. Further ones are counted")]
        public static partial void Began(ILogger logger, string what, string upstream, string failure);

        [LoggerMessage(3131, LogLevel.Warning, "{Count} more requests for the core behind Grid failed ({What})")]
        public static partial void GoesOn(ILogger logger, long count, string what);

        [LoggerMessage(3132, LogLevel.Information, "No more requests for the core behind Grid, {Upstream}, fail; {Count} did in {Lasted}")]
        public static partial void Over(ILogger logger, string upstream, long count, TimeSpan lasted);
    }
}
