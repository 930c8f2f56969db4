using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Abstractions.Settings;

namespace Grid.Abstractions.Apps;

/// <summary>Merges and checks <c>coreConfig</c> by <see cref="SettingTable"/>. Pure.</summary>
public static class CoreConfig
{
    /// <summary>As <see cref="Merge"/>, and refuses settings that contradict each other.</summary>
    public static CoreConfigResult Apply(string? currentJson, string patchJson, AppDefaults inherited, SettingLevel level = SettingLevel.App) =>
        Merge(currentJson, patchJson, inherited, level) is var merged && merged.Error is null && WhyNot(merged.Effective) is { } refusal ? Refused(refusal) : merged;

    /// <summary>Merges <paramref name="patchJson"/> into <paramref name="currentJson"/>, value by value; null values delete keys.</summary>
    /// <param name="currentJson">The stored core config; null or empty if there is none.</param>
    /// <param name="patchJson">A valid JSON object.</param>
    /// <param name="inherited">Applies where nothing is set.</param>
    /// <param name="level">Whether it is an app's or a tenant's.</param>
    public static CoreConfigResult Merge(string? currentJson, string patchJson, AppDefaults inherited, SettingLevel level = SettingLevel.App)
    {
        ArgumentNullException.ThrowIfNull(inherited);
        var config = Parse(currentJson);
        var result = new CoreConfigResult();
        using var patch = JsonDocument.Parse(patchJson);
        foreach (var member in patch.RootElement.EnumerateObject())
        {
            if (SettingTable.FindCoreConfig(member.Name) is not { } setting)
            {
                return Refused($"The key '{member.Name}' is not known; check its spelling against the list of settings");
            }

            object? value = null;
            if (!IsUnset(setting, member.Value)
                && ((SettingTable.WhyNotIn(setting, member.Name, level) is { } why) || !SettingJson.TryRead(setting, member.Name, member.Value, out value, out why!)))
            {
                return Refused(why);
            }

            if (setting.CoreConfigKey == SettingTable.ApiKeys)
            {
                result = result with { ApiKeysChanged = true, OwnApiKeyHashes = value is string keys && ApiKeys.TryParse(keys, out var hashes, out _) ? hashes : null };
            }
            else if (member.Name == setting.CoreConfigKey || !patch.RootElement.TryGetProperty(setting.CoreConfigKey!, out _))
            {
                // A setting with a former name has one value, under the present one, which wins if both are sent.
                if (value is null)
                {
                    config.Remove(setting.CoreConfigKey!);
                }
                else
                {
                    config[setting.CoreConfigKey!] = SettingJson.Write(setting, value);
                }

                if (setting.OlderCoreConfigKey is { } older)
                {
                    config.Remove(older);
                }
            }
        }

        return result with { StoredJson = config.ToJsonString(), Effective = Over(inherited, config) };
    }

    /// <summary>The stored settings over the inherited ones. Refuses nothing: what an older version accepted, or what suited other defaults, is obeyed as far as possible.</summary>
    public static AppDefaults Effective(string? storedJson, AppDefaults inherited) => Effective(storedJson, inherited, out _);

    /// <summary>As <see cref="Effective(string?, AppDefaults)"/>, and says what of it cannot be obeyed.</summary>
    /// <param name="storedJson">Its own core config.</param>
    /// <param name="inherited">Applies where nothing is set.</param>
    /// <param name="ignored">The setting that is ignored, and why; null if all are obeyed.</param>
    public static AppDefaults Effective(string? storedJson, AppDefaults inherited, out string? ignored)
    {
        var effective = Over(inherited, Parse(storedJson));

        // Both fitted when they were written; since then the other one has been changed where it is inherited from.
        ignored = LeavesNoVersion(effective)
            ? $"supertokens_min_cdi_version {effective.MinCdiVersion} is newer than supertokens_max_cdi_version {effective.MaxCdiVersion}, which would leave no version: the minimum is ignored"
            : null;
        return ignored is null ? effective : effective with { MinCdiVersion = null };
    }

    /// <summary>The first setting in the patch that would differ between a tenant and its app although it is one per app; null if there is none.</summary>
    /// <param name="patchJson">A tenant's change.</param>
    /// <param name="appJson">The app's own core config.</param>
    /// <param name="app">The app's effective settings, its API keys included.</param>
    /// <returns>Why it is refused, in the original's words.</returns>
    public static string? ConflictWithApp(string patchJson, string? appJson, AppDefaults app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var own = Parse(appJson);
        using var patch = JsonDocument.Parse(patchJson);
        foreach (var member in patch.RootElement.EnumerateObject())
        {
            if (SettingTable.FindCoreConfig(member.Name) is { Level: SettingLevel.App } setting && !IsUnset(setting, member.Value)
                && SettingJson.TryRead(setting, member.Name, member.Value, out var value, out _) && !IsSame(setting, value, own, app))
            {
                return $"You cannot set different values for {setting.CoreConfigKey} for the same appId";
            }
        }

        return null;
    }

    /// <summary>The members of a stored core config that a change of another one mentions.</summary>
    public static string Touched(string? storedJson, string patchJson)
    {
        using var patch = JsonDocument.Parse(patchJson);
        var stored = Parse(storedJson);
        var touched = patch.RootElement.EnumerateObject().Select(member => NameOf(member.Name)).ToHashSet(StringComparer.Ordinal);
        foreach (var name in stored.Select(member => member.Key).ToList().Where(name => !touched.Contains(NameOf(name))))
        {
            stored.Remove(name);
        }

        return stored.ToJsonString();
    }

    /// <summary>Every setting of an app or tenant that dashboards show, with its effective value.</summary>
    /// <param name="ownJson">Its own core config.</param>
    /// <param name="app">Its app's effective settings, which it inherits. A setting of apps applies to all tenants, even if another value is stored with one.</param>
    public static IEnumerable<(Setting Setting, JsonNode? Value)> Describe(string? ownJson, AppDefaults app)
    {
        var own = Over(app, Parse(ownJson));
        return SettingTable.OfApps.Where(setting => !setting.IsHidden)
            .Select(setting => (setting, SettingJson.Write(setting, setting.Read!(setting.Level == SettingLevel.Tenant ? own : app))));
    }

    private static JsonObject Parse(string? json) => JsonNode.Parse(string.IsNullOrEmpty(json) ? "{}" : json)!.AsObject();

    private static string NameOf(string name) => SettingTable.FindCoreConfig(name)?.CoreConfigKey ?? name;

    private static CoreConfigResult Refused(string why) => new() { Error = why };

    // Nothing to match: an empty deny rule would match nothing or everything, depending on who reads it.
    private static bool IsUnset(Setting setting, JsonElement value) => value.ValueKind == JsonValueKind.Null
        || (setting.Level == SettingLevel.Tenant && setting.Use == SettingUse.Obeyed && value.ValueKind == JsonValueKind.String && string.IsNullOrWhiteSpace(value.GetString()));

    private static bool IsSame(Setting setting, object value, JsonObject own, AppDefaults app) => setting switch
    {
        { CoreConfigKey: SettingTable.ApiKeys } => ApiKeys.TryParse((string)value, out var keys, out _) && keys.ToHashSet().SetEquals(app.ApiKeyHashes),
        { Read: { } read } => value.Equals(read(app)),
        _ => JsonNode.DeepEquals(SettingJson.Write(setting, value), Stored(setting, own) ?? SettingJson.Write(setting, setting.DefaultValue)),
    };

    // Blank rules were stored before empty meant unset.
    private static JsonNode? Stored(Setting setting, JsonObject config) =>
        (config[setting.CoreConfigKey!] ?? (setting.OlderCoreConfigKey is { } older ? config[older] : null)) is { } stored
        && !(stored.GetValueKind() == JsonValueKind.String && string.IsNullOrWhiteSpace(stored.GetValue<string>()))
            ? stored.DeepClone()
            : null;

    private static AppDefaults Over(AppDefaults inherited, JsonObject config) => SettingTable.OfApps
        .Where(setting => setting.CoreConfigKey != SettingTable.ApiKeys)
        .Aggregate(inherited, (app, setting) => Stored(setting, config) is { } stored && SettingJson.ReadStored(setting, stored) is { } value ? setting.Write!(app, value) : app);

    private static bool LeavesNoVersion(AppDefaults app) => app is { MinCdiVersion: { } min, MaxCdiVersion: { } max } && CdiVersions.IsOlder(max, min);

    private static string? WhyNot(AppDefaults app) =>
        app.Settings.RefreshTokenValidity <= app.Settings.AccessTokenValidity ? "'refresh_token_validity' must be strictly greater than 'access_token_validity'"
        : LeavesNoVersion(app) ? "'supertokens_min_cdi_version' must not be newer than 'supertokens_max_cdi_version'"
        : null;
}
