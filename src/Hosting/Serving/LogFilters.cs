using Grid.Hosting.Settings;

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

        logging.AddFilter("Grid.Grains.Silos.SiloListener", LogLevel.Warning);
    }
}
