using Grid.Hosting.Settings;

namespace Grid.Hosting.Serving;

/// <summary>What of a silo's messages is for people.</summary>
internal static class LogFilters
{
    public static void AddGridFilters(this ILoggingBuilder logging, LogOptions options)
    {
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("Grid", options.Level);

        // While a silo is gone its peers would say so many times a second; that it is gone they say as errors.
        logging.AddFilter("Orleans", LogLevel.Error);
        logging.AddFilter("Orleans.Runtime.GrainDirectory", LogLevel.Critical);

        logging.AddFilter("Grid.Grains.Silos.SiloListener", LogLevel.Warning);
    }
}
