using Grid.Silo.Settings;
using Microsoft.Extensions.Logging.Console;

namespace Grid.Silo.Hosting;

internal static class LogHosting
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static void AddGridLogging(this ILoggingBuilder logging, LogOptions options)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("Grid", options.Level);

        // While a silo is gone its peers would say so many times a second; that it is gone they say as errors.
        logging.AddFilter("Orleans", LogLevel.Error);
        logging.AddFilter("Orleans.Runtime.GrainDirectory", LogLevel.Critical);

        logging.AddFilter("Grid.Grains.Silos.SiloListener", LogLevel.Warning);

        if (options.Json)
        {
            logging.AddJsonConsole(console => (console.UseUtcTimestamp, console.TimestampFormat) = (true, TimeFormat));
        }
        else
        {
            logging.AddSimpleConsole(console =>
                (console.SingleLine, console.UseUtcTimestamp, console.TimestampFormat, console.ColorBehavior) =
                (true, true, TimeFormat, LoggerColorBehavior.Disabled));
        }
    }
}
