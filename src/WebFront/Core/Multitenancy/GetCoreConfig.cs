using System.Text.Json;
using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary><c>GET /recipe/dashboard/tenant/core-config</c>: every session setting with its value and what it means.</summary>
internal static class GetCoreConfig
{
    public static async Task HandleAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        var tenant = await TenantWire.Tenant(context, request).FindAsync(CancellationToken.None);
        using var config = JsonDocument.Parse(tenant?.CoreConfigJson ?? "{}");
        await CoreResponse.WriteAsync(context, "OK", config, static (json, document) =>
        {
            json.WriteStartArray("config"u8);
            foreach (var key in CoreConfigKeys.InOrder.Where(k => k.IsSessionSetting && k.Name != CoreConfigKeys.ApiKeysKey))
            {
                json.WriteStartObject();
                json.WriteString("key"u8, key.Name);
                json.WriteString("valueType"u8, CoreConfig.WireName(key.Type));
                json.WritePropertyName("value"u8);
                json.WriteRawValue(document.RootElement.TryGetProperty(key.Name, out var own) ? own.GetRawText() : key.Default, skipInputValidation: true);
                json.WriteString("description"u8, key.Description);
                json.WriteBoolean("isDifferentAcrossTenants"u8, false);
                if (key.PossibleValues is { } values)
                {
                    json.WriteStartArray("possibleValues"u8);
                    foreach (var value in values)
                    {
                        json.WriteStringValue(value);
                    }

                    json.WriteEndArray();
                }

                json.WriteBoolean("isNullable"u8, key.Default == "null");
                json.WritePropertyName("defaultValue"u8);
                json.WriteRawValue(key.Default, skipInputValidation: true);
                json.WriteBoolean("isPluginProperty"u8, false);
                json.WriteBoolean("isPluginPropertyEditable"u8, false);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }
}
