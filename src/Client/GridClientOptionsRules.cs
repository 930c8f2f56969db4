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
        var connection = configuration?.GetConnectionString("Grid");
        options.ConnectionUri ??= new Uri(string.IsNullOrWhiteSpace(connection) ? "http://127.0.0.1:3567" : connection.Trim(), UriKind.RelativeOrAbsolute);
    }

    public ValidateOptionsResult Validate(string? name, GridClientOptions options)
    {
        string[] problems = [.. Problems(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    /// <summary>What is wrong with these, each with its repair.</summary>
    internal static IEnumerable<string> Problems(GridClientOptions options)
    {
        // "localhost:3567" is a URI too, of a scheme called "localhost".
        if (options.ConnectionUri is { } uri && !(uri.IsAbsoluteUri && uri.Scheme is ("http" or "https")))
        {
            // Who sees the message need not see what else may stand there, such as a database's password.
            yield return Authority.IsMatch(uri.OriginalString)
                ? $"ConnectionUri (or the connection string Grid) lacks its scheme: write 'http://{uri.OriginalString}'."
                : "ConnectionUri (or the connection string Grid) is the core API's address, like http://127.0.0.1:3567; what is there is not.";
        }
        else if (options.ConnectionUri is { } other && (other.UserInfo.Length > 0 || other.Query.Length > 0 || other.Fragment.Length > 0))
        {
            yield return "ConnectionUri (or the connection string Grid) has a scheme, a host, perhaps a port and a path like /appid-shop, and nothing else: the API key has an option of its own, ApiKey.";
        }

        foreach (var (limit, value) in new[] { (nameof(options.Timeout), options.Timeout), (nameof(options.RevocationTimeout), options.RevocationTimeout) })
        {
            if (value <= TimeSpan.Zero || value > LongestTimeout)
            {
                yield return $"{limit} is more than zero and at most one hour; {value} is not.";
            }
        }
    }
}
