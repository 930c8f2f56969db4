using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Registry;

namespace Grid.Storage;

/// <summary>Checks requests to the store before they share a statement with others.</summary>
/// <remarks>The doors refuse such values too; here they could fail a whole group, or come back as another one's.</remarks>
internal static class Storable
{
    /// <exception cref="UnstorableValueException">One of its texts cannot be stored.</exception>
    public static void Require(SessionKey key) => Require(key.App, key.Handle.TenantId, null);

    /// <exception cref="UnstorableValueException">One of its texts cannot be stored.</exception>
    public static void Require(SessionRecord session)
    {
        Require(session.Key.App, session.Key.Handle.TenantId, session.UserId);
        StorableText.Require(session.RecipeUserId, "The recipe user id");
        StorableText.Require(session.PayloadJson, "The payload");
        StorableText.Require(session.DataJson, "The session's data");
    }

    /// <exception cref="UnstorableValueException">One of its texts cannot be stored.</exception>
    public static void Require(RevocationScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        Require(scope.App, null, null);
        switch (scope)
        {
            case RevocationScope.Named named:
                foreach (var handle in named.Sessions)
                {
                    StorableText.Require(handle.TenantId, "The tenant");
                }

                break;
            case RevocationScope.User user:
                Require(scope.App, user.TenantId, user.UserId);
                break;
            case RevocationScope.Tenant tenant:
                StorableText.Require(tenant.TenantId, "The tenant");
                break;
            case RevocationScope.SigningKey key:
                StorableText.Require(key.Kid, "The key's id");
                break;
        }
    }

    /// <exception cref="UnstorableValueException">One of its texts cannot be stored.</exception>
    public static void Require(HolderRow row)
    {
        StorableText.Require(row.Name, "The name");
        StorableText.Require(row.Address, "The address");
    }

    /// <exception cref="UnstorableValueException">One of them cannot be stored.</exception>
    public static void Require(AppKey app, string? tenantId, string? userId)
    {
        StorableText.Require(app.Domain, "The domain");
        StorableText.Require(app.AppId, "The app");
        StorableText.Require(tenantId, "The tenant");
        StorableText.Require(userId, "The user id");
    }
}
