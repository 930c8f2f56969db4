using Grid.Hosting.Serving;
using Grid.Hosting.Settings;
using Microsoft.Extensions.Logging.Console;

namespace Grid.Silo.Hosting;

internal static class LogHosting
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static void AddGridLogging(this ILoggingBuilder logging, LogOptions options)
    {
        logging.ClearProviders();
        logging.AddGridFilters(options);
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
