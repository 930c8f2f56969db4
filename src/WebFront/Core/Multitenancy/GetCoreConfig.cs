using System.Globalization;
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
        await CoreResponse.WriteAsync(context, "OK", (config, request.App), static (json, state) =>
        {
            var (document, app) = state;
            json.WriteStartArray("config"u8);
            foreach (var key in CoreConfigKeys.InOrder.Where(k => k.IsSessionSetting && k.Name != CoreConfigKeys.ApiKeysKey))
            {
                json.WriteStartObject();
                json.WriteString("key"u8, key.Name);
                json.WriteString("valueType"u8, CoreConfig.WireName(key.Type));
                json.WritePropertyName("value"u8);
                json.WriteRawValue(document.RootElement.TryGetProperty(key.Name, out var own) ? own.GetRawText() : Inherited(key, app), skipInputValidation: true);
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

    // What the app does not set, the installation may; the snapshot holds what is in force.
    private static string Inherited(CoreConfigKey key, AppSnapshot app) => key.Name switch
    {
        CoreConfigKeys.AccessTokenValidity => Number(app.Settings.AccessTokenValidity.TotalSeconds),
        CoreConfigKeys.RefreshTokenValidity => Number(app.Settings.RefreshTokenValidity.TotalMinutes),
        CoreConfigKeys.DynamicKeyUpdateInterval or CoreConfigKeys.OldDynamicKeyUpdateInterval => Number(app.Settings.DynamicKeyUpdateInterval.TotalHours),
        CoreConfigKeys.ValidityJitter => Number(app.Settings.AccessTokenValidityJitter),
        CoreConfigKeys.RotationGrace => Number(app.Settings.RefreshRotationGrace.TotalSeconds),
        CoreConfigKeys.RecentReuse => app.Settings.RecentReuseAnswer == RecentReuseAnswer.Unauthorised ? "\"UNAUTHORISED\"" : "\"TOKEN_THEFT\"",
        CoreConfigKeys.IpAllow => Text(app.IpAllowRegex),
        CoreConfigKeys.IpDeny => Text(app.IpDenyRegex),
        _ => key.Default,
    };

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Text(string? value) => value is null ? "null" : $"\"{JsonEncodedText.Encode(value)}\"";
}
