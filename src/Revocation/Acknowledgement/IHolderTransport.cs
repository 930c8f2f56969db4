using Grid.Revocation.Log;

namespace Grid.Revocation.Acknowledgement;

/// <summary>Port to the holders.</summary>
internal interface IHolderTransport
{
    /// <summary>Hands entries to the holders at an address.</summary>
    /// <returns>Incarnations that have applied them (h3). If it is empty, late or missing the caller tries again or waits.</returns>
    Task<IReadOnlyCollection<Guid>> PushAsync(string address, IReadOnlyList<RevocationEntry> entries, CancellationToken cancellationToken);
}
