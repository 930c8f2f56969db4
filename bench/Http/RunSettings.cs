using System.Globalization;

namespace Grid.Bench.Http;

/// <summary>What the command line asks for.</summary>
internal sealed record RunSettings
{
    public static readonly string[] AllScenarios = ["create", "verify", "verify+db", "refresh", "list", "revoke-all"];

    public TimeSpan Measure { get; init; } = TimeSpan.FromSeconds(6);

    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Of each scenario once, on a server just started, before the first line.</summary>
    public TimeSpan FirstWarmUp => WarmUp * 5;

    public int[] Concurrency { get; init; } = [1, 16, 64];

    public string[] Engines { get; init; } = ["PostgreSQL", "SQLite"];

    public string[] Scenarios { get; init; } = AllScenarios;

    /// <summary>Live sessions that verify, refresh and list work on.</summary>
    public int Sessions { get; init; } = 2_000;

    /// <summary>Sessions that each revoke-all ends.</summary>
    public int RevokedSessions { get; init; } = 1_000;

    /// <summary>File to write the report to; null prints it only.</summary>
    public string? Output { get; init; }

    public bool Smoke { get; init; }

    /// <summary>Measures what happens at three times as many requests as the server can do, instead of the rest.</summary>
    public bool Overload { get; init; }

    /// <exception cref="ArgumentException">An option that is not known, or without its value.</exception>
    public static RunSettings Parse(string[] arguments)
    {
        var settings = new RunSettings();
        for (var i = 0; i < arguments.Length; i++)
        {
            var option = arguments[i];
            if (option == "--smoke")
            {
                settings = settings with
                {
                    Smoke = true,
                    Measure = TimeSpan.FromSeconds(0.2),
                    WarmUp = TimeSpan.FromSeconds(0.1),
                    Concurrency = [1, 4],
                    Sessions = 40,
                    RevokedSessions = 25,
                };
                continue;
            }

            if (option == "--overload")
            {
                settings = settings with { Overload = true };
                continue;
            }

            if (i + 1 == arguments.Length)
            {
                throw new ArgumentException($"{option} is not known or lacks its value.");
            }

            var value = arguments[++i];
            settings = option switch
            {
                "--seconds" => settings with { Measure = Seconds(value) },
                "--warm-up" => settings with { WarmUp = Seconds(value) },
                "--concurrency" => settings with { Concurrency = [.. value.Split(',').Select(v => int.Parse(v, CultureInfo.InvariantCulture))] },
                "--sessions" => settings with { Sessions = int.Parse(value, CultureInfo.InvariantCulture) },
                "--engine" => settings with { Engines = [Known(value, settings.Engines)] },
                "--scenario" => settings with { Scenarios = [.. value.Split(',').Select(v => Known(v, AllScenarios))] },
                "--output" => settings with { Output = value },
                _ => throw new ArgumentException($"{option} is not known."),
            };
        }

        return settings;
    }

    private static TimeSpan Seconds(string value) => TimeSpan.FromSeconds(double.Parse(value, CultureInfo.InvariantCulture));

    private static string Known(string value, string[] words) =>
        words.FirstOrDefault(w => w.Equals(value, StringComparison.OrdinalIgnoreCase)) ?? throw new ArgumentException($"'{value}' is none of {string.Join(", ", words)}.");
}
