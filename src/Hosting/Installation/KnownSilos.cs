using System.Net;
using Grid.Abstractions;
using Grid.Revocation.Registry;
using Grid.Storage;

namespace Grid.Hosting.Installation;

/// <summary>Which silos share the store with this one.</summary>
internal static class KnownSilos
{
    /// <summary>How many there are, this one included. Its own former incarnation, which nobody may have missed yet, is no other.</summary>
    /// <param name="registry">A silo that has died stays in it until the others have waited for its lease.</param>
    /// <param name="here">This silo's.</param>
    /// <exception cref="StoreStartException">The store does not answer.</exception>
    public static async Task<int> CountAsync(IHolderRegistry registry, IPEndPoint here)
    {
        try
        {
            var silos = (await registry.ListAsync(CancellationToken.None)).Where(row => row.Kind == HolderKind.Silo).Select(row => row.Address.Split('@')[0]);
            return silos.Where(address => address != here.ToString()).Distinct(StringComparer.Ordinal).Count() + 1;
        }
        catch (StoreUnavailableException failure)
        {
            throw StoreStartException.StoppedAnswering(failure);
        }
    }
}
