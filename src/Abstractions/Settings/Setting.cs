using System.Collections.Immutable;
using System.Globalization;
using Grid.Abstractions.Apps;

namespace Grid.Abstractions.Settings;

/// <summary>A row of <see cref="SettingTable"/>: everything there is to know about one setting.</summary>
public sealed record Setting
{
    /// <summary>Grid's own name, <c>Grid:Section:Name</c>; null if only SuperTokens has it.</summary>
    public string? Key { get; init; }

    /// <summary>Name in an app's or tenant's core config; null if it cannot be there.</summary>
    public string? CoreConfigKey { get; init; }

    /// <summary>Its former name there, still understood.</summary>
    public string? OlderCoreConfigKey { get; init; }

    /// <summary>Environment variable of SuperTokens' docker image.</summary>
    public string? Variable { get; init; }

    public required SettingType Type { get; init; }

    /// <summary>Type of its value in core config, if it differs.</summary>
    public SettingType? CoreConfigType { get; init; }

    /// <summary>Unit of the number in core config, for durations.</summary>
    public TimeSpan Unit { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Value if nothing is set, written as in Grid's own settings; null: unset.</summary>
    public string? Default { get; init; }

    /// <summary>What applies if nothing is set and there is no <see cref="Default"/>.</summary>
    public string? DefaultNote { get; init; }

    /// <summary>Least value, written as in Grid's own settings.</summary>
    public string? Min { get; init; }

    /// <summary>Greatest value, written as in Grid's own settings. Of a text: its longest, in characters.</summary>
    public string? Max { get; init; }

    public ImmutableArray<SettingChoice> Choices { get; init; } = [];

    public SettingLevel Level { get; init; } = SettingLevel.Base;

    public SettingUse Use { get; init; } = SettingUse.Obeyed;

    /// <summary>One or two sentences, for people.</summary>
    public required string Description { get; init; }

    /// <summary>Never shown.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Not among the core config that dashboards show.</summary>
    public bool IsHidden { get; init; }

    /// <summary>Whether empty text is a value; otherwise it counts as unset, or is refused if there is a <see cref="Default"/>.</summary>
    public bool MayBeEmpty { get; init; }

    /// <summary>A part of the store's connection string.</summary>
    public bool IsPart { get; init; }

    /// <summary>A variable without effect: what to do instead.</summary>
    public string? Instead { get; init; }

    /// <summary>What is wrong with a value of the right type and range, as a sentence or as what follows the setting's name in one; null if nothing is.</summary>
    public Func<object, string?>? Check { get; init; }

    /// <summary>Reads an app's effective value; null if apps have none of their own.</summary>
    public Func<AppDefaults, object?>? Read { get; init; }

    /// <summary>Replaces an app's effective value.</summary>
    public Func<AppDefaults, object, AppDefaults>? Write { get; init; }

    /// <summary>Section of <see cref="Key"/>.</summary>
    public string? Section => Key?[..Key.LastIndexOf(':')];

    /// <summary>Name within the section: of the property of its options, too.</summary>
    public string? Name => Key?[(Key.LastIndexOf(':') + 1)..];

    /// <summary>All names, for a message to an operator who may have used any of them.</summary>
    public string AllNames
    {
        get
        {
            var others = string.Join(", ", new[] { Variable, CoreConfigKey }.OfType<string>());
            return Key is null ? others : others.Length == 0 ? Key : $"{Key} ({others})";
        }
    }

    /// <summary>Type in core config.</summary>
    public SettingType WireType => CoreConfigType ?? Type;

    /// <summary>The range in words; null if there is none.</summary>
    public string? Range => this switch
    {
        { Type: SettingType.Choice } => string.Join(", ", Choices.Select(choice => choice.Name)),
        { Type: SettingType.Text, Max: { } longest } => $"at most {longest} characters",
        { Min: { } min, Max: { } max } => $"{min} … {max}",
        _ => null,
    };

    /// <summary>The default as people and core config see it: a value of <see cref="Type"/>, or null.</summary>
    public object? DefaultValue => Default is null ? null : SettingText.TryRead(this, Default, out var value, out var error) ? value : throw new InvalidOperationException(error);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{AllNames}");
}
