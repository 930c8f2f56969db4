using Grid.Client;

namespace Grid.AspNetCore;

/// <summary>For hosts that read their settings before they start.</summary>
public static class GridOptionsCheck
{
    /// <summary>What is wrong with these options and how to repair it; null if all is well.</summary>
    public static string? Problem(GridOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var rules = new GridOptionsRules();
        rules.PostConfigure(null, options);
        return rules.Validate(null, options) is { Failed: true } result ? result.FailureMessage : GridClientOptionsRules.Problems(options).FirstOrDefault();
    }
}
