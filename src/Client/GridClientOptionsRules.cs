using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Grid.Client;

/// <summary>Fills in defaults and refuses what cannot work.</summary>
internal sealed class GridClientOptionsRules(IConfiguration? configuration = null) : IPostConfigureOptions<GridClientOptions>, IValidateOptions<GridClientOptions>
{
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);

    public void PostConfigure(string? name, GridClientOptions options)
    {
        var connection = configuration?.GetConnectionString("Grid");
        options.ConnectionUri ??= new Uri(string.IsNullOrEmpty(connection) ? "http://127.0.0.1:3567" : connection);
    }

    public ValidateOptionsResult Validate(string? name, GridClientOptions options)
    {
        string[] problems = [.. Problems(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    /// <summary>What is wrong with these, each with its repair.</summary>
    internal static IEnumerable<string> Problems(GridClientOptions options)
    {
        foreach (var (limit, value) in new[] { (nameof(options.Timeout), options.Timeout), (nameof(options.RevocationTimeout), options.RevocationTimeout) })
        {
            if (value <= TimeSpan.Zero || value > LongestTimeout)
            {
                yield return $"{limit} is more than zero and at most one hour; {value} is not.";
            }
        }
    }
}
