using System.Collections.Immutable;
using System.Text.Json;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core.Multitenancy;

/// <summary>The older shape has a switch per login method, the newer one lists factors.</summary>
internal enum TenantWireVersion
{
    V1,
    V2,

    /// <summary>The older shape as it was before CDI 5.0: without factors.</summary>
    V1Before50,
}

/// <summary>How tenants look on the wire, and what all their operations share.</summary>
internal static class TenantWire
{
    // Every SDK's own factors together are a dozen.
    private const int MaxFactors = 100;

    private static readonly string[] OlderSwitches = ["emailPasswordEnabled", "thirdPartyEnabled", "passwordlessEnabled"];

    /// <summary>Domains and apps are managed from the public app and tenant.</summary>
    public static void RequirePublicAppAndTenant(CoreRequest request, string what)
    {
        if (!request.IsPublicTenant || request.Path.AppId != AppKey.PublicId)
        {
            throw CoreException.Forbidden($"Only the public tenantId and public appId is allowed to {what}");
        }
    }

    /// <summary>Tenants are managed from the app's public tenant.</summary>
    public static void RequirePublicTenant(CoreRequest request, string what)
    {
        if (!request.IsPublicTenant)
        {
            throw CoreException.Forbidden($"Only the public tenantId is allowed to {what} in this app");
        }
    }

    /// <summary>An id as people may write it; stored in lower case.</summary>
    public static string ReadId(CoreBody body, string field)
    {
        var id = body.String(field).Trim().ToLowerInvariant();
        if (!CorePath.IsId(id))
        {
            throw new CoreException(400, id.Length == 0 ? $"{field} should not be an empty String"
                : $"{field} can only contain letters, numbers and hyphens");
        }

        if (id.Length > CorePath.MaxId)
        {
            throw new CoreException(400, $"{field} may have at most {CorePath.MaxId} characters, and this one has {id.Length}");
        }

        if (id.StartsWith("appid-", StringComparison.Ordinal))
        {
            throw new CoreException(400, $"{field} must not start with 'appid-'");
        }

        return field == "tenantId" && CorePath.ReservedWords.Contains(id) ? throw new CoreException(400, $"Cannot use '{id}' as a tenantId") : id;
    }

    public static TenantChange ReadChange(CoreBody body, CoreRequest request, TenantWireVersion route, bool isTenant)
    {
        var version = ShapeOf(request, route);
        var (setFirstFactors, setSecondaryFactors) = (false, false);
        var hasFactors = version != TenantWireVersion.V1Before50;
        var firstFactors = hasFactors ? body.StringsOrNull("firstFactors", MaxFactors, out setFirstFactors) : null;
        var secondaryFactors = hasFactors ? body.StringsOrNull("requiredSecondaryFactors", MaxFactors, out setSecondaryFactors) : null;
        if (version == TenantWireVersion.V1 && firstFactors is [])
        {
            throw new CoreException(400, "firstFactors cannot be empty. Set null instead to remove all first factors.");
        }

        if (secondaryFactors is [])
        {
            throw new CoreException(400, "requiredSecondaryFactors cannot be empty. Set null instead to remove all required secondary factors.");
        }

        RefuseDuplicates("firstFactors", firstFactors);
        RefuseDuplicates("requiredSecondaryFactors", secondaryFactors);
        if (version == TenantWireVersion.V2 && OlderSwitches.FirstOrDefault(body.Has) is { } older)
        {
            throw new CoreException(400, $"{older} is not allowed in this API version");
        }

        var change = new TenantChange
        {
            SetFirstFactors = setFirstFactors,
            FirstFactors = firstFactors?.ToImmutableArray(),
            SetRequiredSecondaryFactors = setSecondaryFactors,
            RequiredSecondaryFactors = secondaryFactors?.ToImmutableArray(),
            CoreConfigPatchJson = body.ObjectOrNull("coreConfig"),
            NewStartsWithNoFirstFactor = isTenant && version == TenantWireVersion.V2,
            IsOfOlderShape = version != TenantWireVersion.V2,
        };
        return version == TenantWireVersion.V2 ? change : change with
        {
            EmailPasswordEnabled = body.BoolOrNull("emailPasswordEnabled"),
            ThirdPartyEnabled = body.BoolOrNull("thirdPartyEnabled"),
            PasswordlessEnabled = body.BoolOrNull("passwordlessEnabled"),
        };
    }

    public static Task WritePutAsync(HttpContext context, CoreRequest request, PutResult put) => put.Outcome switch
    {
        PutOutcome.Created or PutOutcome.Updated => CoreResponse.WriteAsync(
            context, "OK", put.Outcome == PutOutcome.Created, static (json, isNew) => json.WriteBoolean("createdNew"u8, isNew)),
        PutOutcome.InvalidConfig => throw new CoreException(400, $"Invalid core config: {put.Error}"),
        PutOutcome.ParentNotFound => throw CoreException.AppNotFound(request.Domain, request.Path.AppId),
        PutOutcome.Unavailable => throw new StoreUnavailableException("The settings could not be written."),
        _ => throw new InvalidOperationException($"Unknown outcome {put.Outcome}."),
    };

    public static Task WriteRemovedAsync(HttpContext context, RemoveOutcome outcome, string notEmpty) => outcome switch
    {
        RemoveOutcome.Removed or RemoveOutcome.NotFound => CoreResponse.WriteAsync(
            context, "OK", outcome == RemoveOutcome.Removed, static (json, did) => json.WriteBoolean("didExist"u8, did)),
        RemoveOutcome.NotEmpty => throw CoreException.Forbidden(notEmpty),
        RemoveOutcome.Unavailable => throw new StoreUnavailableException("The settings could not be written."),
        _ => throw new InvalidOperationException($"Unknown outcome {outcome}."),
    };

    /// <summary>The shape of an answer: the route's, as it was in the request's version.</summary>
    public static TenantWireVersion ShapeOf(CoreRequest request, TenantWireVersion route) =>
        route == TenantWireVersion.V1 && request.Version < CdiVersion.V5 ? TenantWireVersion.V1Before50 : route;

    public static void WriteTenants(Utf8JsonWriter json, IEnumerable<TenantConfig> tenants, TenantWireVersion version)
    {
        json.WriteStartArray("tenants"u8);
        foreach (var tenant in tenants)
        {
            json.WriteStartObject();
            WriteMembers(json, tenant, version);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public static void WriteMembers(Utf8JsonWriter json, TenantConfig tenant, TenantWireVersion version)
    {
        json.WriteString("tenantId"u8, tenant.TenantId);
        if (version == TenantWireVersion.V2)
        {
            json.WriteStartObject("thirdParty"u8);
            WriteProviders(json, tenant);
            json.WriteEndObject();
            WriteFactors(json, "firstFactors", FirstFactors(tenant));
        }
        else
        {
            WriteSwitch(json, "emailPassword", IsEnabled(tenant, tenant.EmailPasswordEnabled, LoginMethods.EmailPassword, version));
            json.WriteEndObject();
            WriteSwitch(json, "thirdParty", IsEnabled(tenant, tenant.ThirdPartyEnabled, LoginMethods.ThirdParty, version));
            WriteProviders(json, tenant);
            json.WriteEndObject();
            WriteSwitch(json, "passwordless", IsEnabled(tenant, tenant.PasswordlessEnabled, LoginMethods.Passwordless, version));
            json.WriteEndObject();
            if (version == TenantWireVersion.V1)
            {
                // This shape says "none" with its switches.
                WriteFactors(json, "firstFactors", tenant.FirstFactors is { IsEmpty: false } some ? some : null);
            }
        }

        if (version != TenantWireVersion.V1Before50)
        {
            WriteFactors(json, "requiredSecondaryFactors", tenant.RequiredSecondaryFactors);
        }

        json.WritePropertyName("coreConfig"u8);
        json.WriteRawValue(tenant.CoreConfigJson, skipInputValidation: true);
    }

    private static void RefuseDuplicates(string field, string[]? values)
    {
        if (values is not null && values.Distinct().Count() != values.Length)
        {
            throw new CoreException(400, $"{field} input should not contain duplicate values");
        }
    }

    // Set by the newer shape only, which leaves the switches alone.
    private static bool HasNoSwitches(TenantConfig tenant) =>
        tenant is { FirstFactors: not null, EmailPasswordEnabled: false, ThirdPartyEnabled: false, PasswordlessEnabled: false };

    private static bool IsEnabled(TenantConfig tenant, bool isOn, ImmutableArray<string> factors, TenantWireVersion version) =>
        (isOn || HasNoSwitches(tenant)) && (tenant.FirstFactors is not { } first
            || (version == TenantWireVersion.V1Before50 ? factors.Any(f => first.Contains(f)) : !first.IsEmpty));

    // Null, all allowed, unless the older shape's switches forbid some.
    private static ImmutableArray<string>? FirstFactors(TenantConfig tenant) =>
        tenant.FirstFactors is { } own ? own
        : tenant is { EmailPasswordEnabled: true, ThirdPartyEnabled: true, PasswordlessEnabled: true } ? null
        :
        [
            .. tenant.EmailPasswordEnabled ? LoginMethods.EmailPassword : [],
            .. tenant.ThirdPartyEnabled ? LoginMethods.ThirdParty : [],
            .. tenant.PasswordlessEnabled ? LoginMethods.Passwordless : [],
        ];

    private static void WriteSwitch(Utf8JsonWriter json, string name, bool enabled)
    {
        json.WriteStartObject(name);
        json.WriteBoolean("enabled"u8, enabled);
    }

    private static void WriteProviders(Utf8JsonWriter json, TenantConfig tenant)
    {
        json.WritePropertyName("providers"u8);
        json.WriteRawValue(tenant.ThirdPartyProvidersJson, skipInputValidation: true);
    }

    // Left out where there are none to tell of: a client takes null for a list and fails.
    private static void WriteFactors(Utf8JsonWriter json, string name, ImmutableArray<string>? factors)
    {
        if (factors is not { } list)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var factor in list)
        {
            json.WriteStringValue(factor);
        }

        json.WriteEndArray();
    }
}
