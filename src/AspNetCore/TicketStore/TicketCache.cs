using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Caching.Memory;

namespace Grid.AspNetCore.TicketStore;

/// <summary>Tickets in this process's memory, by the session's handle. Whether a session is active it does not know.</summary>
internal sealed class TicketCache(GridTicketStoreOptions options) : IDisposable
{
    private readonly MemoryCache _tickets = new(new MemoryCacheOptions { SizeLimit = options.MemoryLimit });
    private readonly Lock _changing = new();

    public bool TryFind(string handle, [NotNullWhen(true)] out CachedTicket? ticket) => _tickets.TryGetValue(handle, out ticket) && ticket is not null;

    /// <summary>Takes it over, unless what is there is younger: a renewal may have been written while this was being read.</summary>
    public void Set(string handle, CachedTicket ticket)
    {
        if (options.ReadAgainAfter == TimeSpan.Zero)
        {
            return;
        }

        lock (_changing)
        {
            if (!TryFind(handle, out var other) || other.ReadAt <= ticket.ReadAt)
            {
                _tickets.Set(handle, ticket, new MemoryCacheEntryOptions { Size = ticket.Size, AbsoluteExpirationRelativeToNow = options.ReadAgainAfter });
            }
        }
    }

    public void Remove(string handle)
    {
        lock (_changing)
        {
            _tickets.Remove(handle);
        }
    }

    public void Dispose() => _tickets.Dispose();
}
