namespace Grid.WebFront.Upstream;

/// <summary>The core behind Grid, which serves what Grid does not. Its API key has no place in a log.</summary>
internal sealed class UpstreamSettings
{
    /// <summary>Where it is; may have a path, which stands before every path that is asked for.</summary>
    public required Uri Uri { get; init; }

    /// <summary>What Grid shows it; null: it asks for none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>How long a connection may take to come about.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long it may be silent within a request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How people are told which one it is: host and port.</summary>
    public string Name => Uri.Authority;

    /// <summary>What stands before a path, without a slash at the end.</summary>
    public string Prefix => Uri.GetLeftPart(UriPartial.Path).TrimEnd('/');

    /// <summary>What is wrong with an address, as what follows the setting's name in a sentence; null if nothing is.</summary>
    public static string? WhyNot(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
        {
            return "must be an absolute address such as http://supertokens:3567";
        }

        return uri.UserInfo.Length > 0 ? "must not hold a user or password: the key is Grid:Upstream:ApiKey"
            : uri.Query.Length > 0 || uri.Fragment.Length > 0 || text.Contains('?', StringComparison.Ordinal) || text.Contains('#', StringComparison.Ordinal) ? "must not have a query or fragment"
            : null;
    }
}
