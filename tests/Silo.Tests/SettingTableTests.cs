using Grid.Abstractions.Settings;
using Grid.Grains.Holders;
using Grid.Grains.Purge;
using Grid.Hosting.Settings;

namespace Grid.Silo.Tests;

/// <summary>The table and what is made of it.</summary>
public sealed class SettingTableTests
{
    private static readonly Dictionary<string, Type> Options = new()
    {
        [CoreApiOptions.Section] = typeof(CoreApiOptions),
        [FrontOptions.Section] = typeof(FrontOptions),
        [StoreSettings.Section] = typeof(StoreSettings),
        [KeyOptions.Section] = typeof(KeyOptions),
        [ClusterOptions.Section] = typeof(ClusterOptions),
        [LogOptions.Section] = typeof(LogOptions),
        [TelemetryOptions.Section] = typeof(TelemetryOptions),
        [ShutdownOptions.Section] = typeof(ShutdownOptions),
        [PurgeOptions.Section] = typeof(PurgeOptions),
        [OverloadOptions.Section] = typeof(OverloadOptions),
        [UpstreamOptions.Section] = typeof(UpstreamOptions),
        [ImportOptions.Section] = typeof(ImportOptions),
        [RevocationOptions.Section] = typeof(RevocationOptions),
    };

    [Fact]
    public void Every_row_sets_something_and_everything_that_can_be_set_has_a_row()
    {
        Assert.All(SettingTable.All.Where(row => row.Key is not null), row => Assert.True(
            row.Write is not null || (Options.TryGetValue(row.Section!, out var type) && SettingBinding.Property(type, row) is not null), $"{row.Key} sets nothing."));
        foreach (var (section, type) in Options)
        {
            Assert.All(type.GetProperties().Where(property => property.CanWrite), property => Assert.NotNull(SettingTable.Find($"{section}:{property.Name}")));
        }

        // What is in core config and obeyed there has a value of its own.
        Assert.All(SettingTable.All.Where(row => row is { Use: SettingUse.Obeyed, CoreConfigKey: not null, Level: not SettingLevel.Base }), row => Assert.NotNull(row.Write));
    }

    [Fact]
    public void Names_are_named_once_and_defaults_lie_within_their_range()
    {
        foreach (var names in new[] { SettingTable.All.Select(row => row.Key), SettingTable.All.Select(row => row.CoreConfigKey), SettingTable.All.Select(row => row.Variable) })
        {
            var set = names.OfType<string>().ToList();
            Assert.Equal(set.Distinct(StringComparer.OrdinalIgnoreCase).Count(), set.Count);
        }

        Assert.All(SettingTable.All, row =>
        {
            _ = row.DefaultValue;
            Assert.True(row.Key is null || row.Default is not null || row.DefaultNote is not null, $"{row.Key} does not say what holds without it.");
            Assert.Equal(row.Min is null && row.Type != SettingType.Text, row.Max is null && row.Type != SettingType.Text);
        });
    }

    [Fact]
    public void What_can_be_chosen_is_what_the_options_have()
    {
        foreach (var row in SettingTable.All.Where(row => row.Type == SettingType.Choice && row.Section is not null && Options.ContainsKey(row.Section)))
        {
            var type = SettingBinding.Property(Options[row.Section!], row)!.PropertyType;
            var names = Enum.GetNames(Nullable.GetUnderlyingType(type) ?? type).Where(name => name != "Unspecified");
            Assert.Equal(names.Order(StringComparer.Ordinal), row.Choices.Select(choice => choice.Name).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void The_page_of_settings_is_the_table()
    {
        var page = Path.Combine(DocumentTests.Root, "docs", "settings.md");

        // Grid config table >docs/settings.md
        Assert.Equal(File.ReadAllText(page), SettingsPage.Write());
    }
}
