namespace Grid.WebFront.Core;

/// <summary>Ends a request with a status and the protocol's plain-text body. For invalid input only.</summary>
internal sealed class CoreException(int status, string text) : Exception(text)
{
    public int Status { get; } = status;

    public static CoreException BadField(string name) => new(400, $"Field name '{name}' is invalid in JSON input");

    public static CoreException MissingQuery(string name) => new(400, $"Field name '{name}' is missing in GET request");

    public static CoreException BadQuery(string name) => new(400, $"Field name '{name}' is invalid in GET request");

    public static CoreException Forbidden(string text) => new(403, text);

    public static CoreException TenantNotFound(string domain, string appId, string tenantId) => new(
        400, $"AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: ({domain}, {appId}, {tenantId})");

    public static CoreException AppNotFound(string domain, string appId) => new(
        400, $"AppId or tenantId not found => App with the following connectionURIDomain and appId combination not found: ({domain}, {appId})");
}
