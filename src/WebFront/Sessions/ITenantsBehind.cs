using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.WebFront.Sessions;

/// <summary>Tenants of the core behind Grid that no request's path has named yet. There is none without such a core.</summary>
/// <remarks>
/// A session of a tenant is verified and refreshed by paths that name none. Who refused it because its tenant was never seen here would
/// sign its user out, though the core behind has the tenant, and the session came from there or was begun in another silo.
/// </remarks>
public interface ITenantsBehind
{
    /// <summary>Whether the core behind Grid has it; then Grid has it too.</summary>
    /// <exception cref="StoreUnavailableException">It does not say.</exception>
    Task<bool> TakeOverAsync(TenantKey tenant);
}

internal static class TenantsBehind
{
    /// <summary>Whether a session's tenant is one of the app's, here or behind.</summary>
    /// <param name="behind">Null without a core behind Grid.</param>
    /// <param name="app">The app.</param>
    /// <param name="handle">Of a token that is genuine, or of a client with a key: whoever it is may have the other core asked.</param>
    /// <exception cref="StoreUnavailableException">The core behind Grid does not say.</exception>
    public static ValueTask<bool> HasTenantOfAsync(this ITenantsBehind? behind, AppSnapshot app, SessionHandle handle) =>
        app.HasTenantOf(handle) ? new ValueTask<bool>(true)
        : behind is null ? new ValueTask<bool>(false)
        : new ValueTask<bool>(behind.TakeOverAsync(new TenantKey(app.App, handle.TenantId)));
}
