namespace Grid.Abstractions.Settings;

/// <summary>Down to where a setting may differ.</summary>
public enum SettingLevel
{
    /// <summary>One value for the installation.</summary>
    Base = 0,

    /// <summary>Each app may have its own, through its core config; all tenants of an app share it.</summary>
    App = 1,

    /// <summary>Each tenant may have its own.</summary>
    Tenant = 2,
}
