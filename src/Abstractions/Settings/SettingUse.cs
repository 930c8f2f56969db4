namespace Grid.Abstractions.Settings;

/// <summary>What Grid does with a setting that it knows.</summary>
public enum SettingUse
{
    /// <summary>It is obeyed.</summary>
    Obeyed = 0,

    /// <summary>It belongs to a recipe that Grid does not have: stored and shown, for configurations shared with a SuperTokens core, but without effect.</summary>
    OtherRecipe = 1,

    /// <summary>It belongs to SuperTokens' own server, and has no counterpart here.</summary>
    OtherServer = 2,

    /// <summary>It would choose a database for an app or a tenant: Grid keeps an installation in one.</summary>
    OtherDatabase = 3,
}
