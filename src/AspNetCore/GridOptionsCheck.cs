using Grid.Client;

namespace Grid.AspNetCore;

/// <summary>Validates options without a host, for programs that check their settings before they start.</summary>
public static class GridOptionsCheck
{
    /// <summary>What is wrong with the options and how to fix it; null if they are valid.</summary>
    public static string? Problem(GridOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var rules = new GridOptionsRules();
        rules.PostConfigure(null, options);
        return rules.Validate(null, options) is { Failed: true } result ? result.FailureMessage : GridClientOptionsRules.Problems(options).FirstOrDefault();
    }
}
