using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Grid.Client;

/// <summary>Fills in defaults and refuses what cannot work.</summary>
internal sealed partial class GridClientOptionsRules(IConfiguration? configuration = null) : IPostConfigureOptions<GridClientOptions>, IValidateOptions<GridClientOptions>
{
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);

    [GeneratedRegex(@"^[\w.-]+(:[0-9]+)?(/[\w./-]*)?$")]
    private static partial Regex Authority { get; }

    public void PostConfigure(string? name, GridClientOptions options)
    {
        if (!string.IsNullOrEmpty(name))
        {
            // What the unnamed one falls back to would be the same app.
            var own = configuration?.GetConnectionString(name);
            options.ConnectionUri ??= string.IsNullOrWhiteSpace(own) ? null : new Uri(own.Trim(), UriKind.RelativeOrAbsolute);
            return;
        }

        var connection = configuration?.GetConnectionString("Grid");
        options.ConnectionUri ??= new Uri(string.IsNullOrWhiteSpace(connection) ? "http://127.0.0.1:3567" : connection.Trim(), UriKind.RelativeOrAbsolute);
    }

    public ValidateOptionsResult Validate(string? name, GridClientOptions options)
    {
        string[] problems = options.ConnectionUri is null && !string.IsNullOrEmpty(name)
            ? [$"The Grid client '{name}' has no address: set its ConnectionUri, or the connection string {name}, to the core API of its app, like http://127.0.0.1:3567/appid-{name}."]
            : [.. Problems(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    /// <summary>What is wrong with these, each with its repair.</summary>
    internal static IEnumerable<string> Problems(GridClientOptions options)
    {
        // "localhost:3567" is a URI too, of a scheme called "localhost".
        if (options.ConnectionUri is { } uri && !(uri.IsAbsoluteUri && uri.Scheme is ("http" or "https")))
        {
            // The value is not repeated: it might be a database connection string with its password.
            yield return Authority.IsMatch(uri.OriginalString)
                ? $"ConnectionUri (or the connection string Grid) has no scheme: write 'http://{uri.OriginalString}'."
                : "ConnectionUri (or the connection string Grid) must be the address of the core API, like http://127.0.0.1:3567.";
        }
        else if (options.ConnectionUri is { } other && (other.UserInfo.Length > 0 || other.Query.Length > 0 || other.Fragment.Length > 0))
        {
            yield return "ConnectionUri (or the connection string Grid) may consist of scheme, host, port and a path like /appid-shop only. Set the API key with ApiKey.";
        }

        foreach (var (limit, value) in new[] { (nameof(options.Timeout), options.Timeout), (nameof(options.RevocationTimeout), options.RevocationTimeout) })
        {
            if (value <= TimeSpan.Zero || value > LongestTimeout)
            {
                yield return $"{limit} must be more than zero and at most one hour; it is {value}.";
            }
        }
    }
}
