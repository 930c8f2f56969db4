using Grid.Hosting.Logs;
using Grid.Hosting.Settings;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grid.Hosting.Serving;

/// <summary>Filters a silo's log to the messages that operators need.</summary>
internal static class LogFilters
{
    public static void AddGridFilters(this ILoggingBuilder logging, LogOptions options)
    {
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("Grid", options.Level);

        // While a silo is unreachable its peers would log it many times a second; that it is gone is logged as an error anyway.
        logging.AddFilter("Orleans", LogLevel.Error);
        logging.AddFilter("Orleans.Runtime.GrainDirectory", LogLevel.Critical);

        // Once per check and probe; ReadinessWatch logs each change.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);

        // What Orleans tries again; what it gives up is an answer to somebody, who tells it.
        logging.AddFilter("Polly", LogLevel.None);

        // Each request with its address, which may name a user, and each failure with a stack; Grid tells an outage once (3130).
        logging.AddFilter("Yarp", LogLevel.None);

        // Orleans says under their names how it shares out what they do not use.
        logging.AddFilter("Grid.Grains.Silos.SiloListener", LogLevel.Warning);
        logging.AddFilter("Grid.Grains.Watches.NoticeSource", LogLevel.Warning);

        if (options.Level > LogLevel.Debug)
        {
            logging.Services.TryAddSingleton<LoggerFactory>();
            logging.Services.Replace(ServiceDescriptor.Singleton<ILoggerFactory>(
                services => new CalmLoggerFactory(services.GetRequiredService<LoggerFactory>(), services.GetRequiredService<TimeProvider>())));
        }
    }
}
