using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Settings;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>GET /recipe/dashboard/tenant/core-config</c>: every setting that Grid obeys, with its value and what it means.</summary>
internal static class GetCoreConfig
{
    public static async Task HandleAsync(HttpContext context, TenantDoor tenants)
    {
        var request = CoreRequest.Of(context);
        var tenant = await tenants.Tenant(request).FindAsync(CancellationToken.None);
        var settings = CoreConfig.Describe(tenant?.CoreConfigJson ?? "{}", request.App.Effective);
        await CoreResponse.WriteAsync(context, "OK", settings, static (json, described) =>
        {
            json.WriteStartArray("config"u8);
            foreach (var (setting, value) in described)
            {
                Write(json, setting, value);
            }

            json.WriteEndArray();
        });
    }

    private static void Write(Utf8JsonWriter json, Setting setting, JsonNode? value)
    {
        json.WriteStartObject();
        json.WriteString("key"u8, setting.CoreConfigKey);
        json.WriteString("valueType"u8, SettingJson.DashboardType(setting));
        json.WritePropertyName("value"u8);
        WriteValue(json, value);
        json.WriteString("description"u8, setting.Description);
        json.WriteBoolean("isDifferentAcrossTenants"u8, setting.Level == SettingLevel.Tenant);
        if (setting.Type == SettingType.Choice)
        {
            json.WriteStartArray("possibleValues"u8);
            foreach (var choice in setting.Choices)
            {
                json.WriteStringValue(choice.WireName);
            }

            json.WriteEndArray();
        }

        json.WriteBoolean("isNullable"u8, setting.Default is null);
        json.WritePropertyName("defaultValue"u8);
        WriteValue(json, SettingJson.Write(setting, setting.DefaultValue));
        json.WriteBoolean("isPluginProperty"u8, false);
        json.WriteBoolean("isPluginPropertyEditable"u8, false);
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, JsonNode? value)
    {
        if (value is null)
        {
            json.WriteNullValue();
        }
        else
        {
            value.WriteTo(json);
        }
    }
}
