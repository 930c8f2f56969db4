using System.Globalization;

namespace Grid.Bench.Scale;

/// <summary>What the command line asks for.</summary>
internal sealed record ScaleSettings
{
    public static readonly string[] AllScenarios = ["sizes", "users", "purge", "memory", "silos", "holders", "sqlite"];

    public string[] Scenarios { get; init; } = AllScenarios;

    /// <summary>Live sessions in each of the stores that are compared.</summary>
    public int[] Sizes { get; init; } = [10_000, 100_000, 1_000_000];

    /// <summary>Sessions of one user, and how many such users.</summary>
    public (int Sessions, int Users)[] PerUser { get; init; } = [(10, 400), (100, 80), (1_000, 16), (10_000, 5)];

    /// <summary>Rows that the purge finds.</summary>
    public int Expired { get; init; } = 500_000;

    public int Rounds { get; init; } = 3;

    /// <summary>How long each measurement takes.</summary>
    public TimeSpan Block { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Connected services.</summary>
    public int Holders { get; init; } = 1_000;

    public bool Smoke { get; init; }

    public string? Output { get; init; }

    /// <exception cref="ArgumentException">An option that is not known, or without its value.</exception>
    public static ScaleSettings Parse(string[] arguments)
    {
        var settings = new ScaleSettings();
        for (var i = 0; i < arguments.Length; i++)
        {
            var option = arguments[i];
            if (option == "--smoke")
            {
                settings = settings with
                {
                    Smoke = true,
                    Sizes = [600],
                    PerUser = [(10, 3), (50, 2)],
                    Expired = 2_000,
                    Rounds = 1,
                    Block = TimeSpan.FromSeconds(0.1),
                    Holders = 20,
                    Scenarios = ["sizes", "users", "memory", "holders"],
                };
                continue;
            }

            if (i + 1 == arguments.Length)
            {
                throw new ArgumentException($"{option} is not known or lacks its value.");
            }

            var value = arguments[++i];
            settings = option switch
            {
                "--scenario" => settings with { Scenarios = [.. value.Split(',').Select(Known)] },
                "--sizes" => settings with { Sizes = [.. value.Split(',').Select(Number)] },
                "--rounds" => settings with { Rounds = Number(value) },
                "--seconds" => settings with { Block = TimeSpan.FromSeconds(double.Parse(value, CultureInfo.InvariantCulture)) },
                "--expired" => settings with { Expired = Number(value) },
                "--holders" => settings with { Holders = Number(value) },
                "--output" => settings with { Output = value },
                _ => throw new ArgumentException($"{option} is not known."),
            };
        }

        return settings;
    }

    private static int Number(string value) => int.Parse(value, CultureInfo.InvariantCulture);

    private static string Known(string value) => AllScenarios.Contains(value) ? value : throw new ArgumentException($"'{value}' is none of {string.Join(", ", AllScenarios)}.");
}
