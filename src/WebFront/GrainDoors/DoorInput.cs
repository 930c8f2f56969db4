using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Registry;
using Grid.WebFront.Core;
using Grid.WebFront.Sessions;

namespace Grid.WebFront.GrainDoors;

/// <summary>What comes in by a door, judged as the core API judges its fields. A caller that is not our client may leave out anything.</summary>
internal static class DoorInput
{
    /// <summary>As many handles as a body of the core API has room for, each of 36 characters in quotes with a comma.</summary>
    public const int MaxHandles = CoreBody.MaxSize / 39;

    /// <summary>A token, or another text that is not stored; null if there is none.</summary>
    /// <exception cref="SessionRefusedException">It is longer than the core API would take.</exception>
    public static string? Text(string? text, string field) =>
        text is not { Length: > CoreBody.MaxText } ? text : throw new SessionRefusedException($"{field} may have {CoreBody.MaxText} characters");

    /// <summary>A session's name. It is nobody's if the app has not the tenant, also when that was removed: a cookie may still name it.</summary>
    /// <returns>False if there can be no such session.</returns>
    public static bool TryFindHandle(AppSnapshot app, string? text, out SessionHandle handle) =>
        SessionHandle.TryParse(text, out handle) && app.TenantIds.Contains(handle.TenantId);

    /// <summary>A session's name, after a look whether its tenant is there.</summary>
    /// <returns>False if the text names no session.</returns>
    /// <exception cref="SessionRefusedException">It names one of a tenant that the app has not.</exception>
    public static bool TryReadHandle(AppSnapshot app, string? text, out SessionHandle handle) =>
        SessionHandle.TryParse(text, out handle) && CorePath.CouldExist(handle.TenantId) && (app.TenantIds.Contains(handle.TenantId) ? true : throw NoTenant(app, handle.TenantId));

    /// <summary>What is said of a tenant that the app has not.</summary>
    public static SessionRefusedException NoTenant(AppSnapshot app, string? tenantId) => new($"The app '{app.App}' has no tenant '{Printable.Of(tenantId ?? "", CorePath.MaxId)}'");
}
