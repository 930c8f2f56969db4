namespace Grid.Silo.Diagnosis;

/// <summary>How much a finding matters.</summary>
internal enum Weight
{
    /// <summary>As it should be.</summary>
    Ok = 0,

    /// <summary>It works, and a person should look.</summary>
    Warning,

    /// <summary>Grid does not start, does not stay up or may lose something.</summary>
    Problem,
}

/// <summary>What a check has found.</summary>
/// <param name="Check">Which one.</param>
/// <param name="Weight">How much it matters.</param>
/// <param name="Text">One sentence or two, with the repair where there is something to repair. Nothing secret.</param>
internal sealed record Finding(string Check, Weight Weight, string Text)
{
    public static Finding Ok(string check, string text) => new(check, Weight.Ok, text);

    public static Finding Warning(string check, string text) => new(check, Weight.Warning, text);

    public static Finding Problem(string check, string text) => new(check, Weight.Problem, text);
}
