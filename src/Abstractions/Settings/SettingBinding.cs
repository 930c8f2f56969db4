using System.Reflection;

namespace Grid.Abstractions.Settings;

/// <summary>Puts values into the options of a section: each row's property has its name.</summary>
public static class SettingBinding
{
    /// <summary>Gives every property its row's default. Constructors of options call this, so that no default is written twice.</summary>
    public static void SetDefaults(object options, string section)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var setting in SettingTable.All.Where(row => row.Section == section && row.Default is not null))
        {
            Set(options, setting, setting.DefaultValue!);
        }
    }

    /// <summary>Sets one property; does nothing if the options do not have it because the setting belongs to apps.</summary>
    public static void Set(object options, Setting setting, object value)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(setting);
        if (Property(options.GetType(), setting) is { } property)
        {
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            property.SetValue(options, type.IsEnum ? Enum.Parse(type, (string)value) : value);
        }
    }

    /// <summary>The property that a row sets; null if there is none.</summary>
    public static PropertyInfo? Property(Type options, Setting setting)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(setting);
        return setting.Name is { } name ? options.GetProperty(name) : null;
    }
}
