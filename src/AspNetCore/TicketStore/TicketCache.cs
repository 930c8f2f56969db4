using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Caching.Memory;

namespace Grid.AspNetCore.TicketStore;

/// <summary>Tickets in this process's memory, by the session's handle, and what cookies say. Whether a session is active it does not know.</summary>
internal sealed class TicketCache : IDisposable
{
    // A cookie with a whole ticket in it is of the time before there was a store.
    private const int LongestCookie = 1024;

    // What a cookie's ticket takes, which has one claim, and its entry.
    private const int SizeOfCookie = 1024;

    private readonly TimeSpan _life;
    private readonly MemoryCache _tickets;
    private readonly MemoryCache _cookies;
    private readonly Lock _changing = new();

    public TicketCache(GridTicketStoreOptions options)
    {
        _life = options.ReadAgainAfter;
        _cookies = new MemoryCache(new MemoryCacheOptions { SizeLimit = options.MemoryLimit / 4 });
        _tickets = new MemoryCache(new MemoryCacheOptions { SizeLimit = options.MemoryLimit - (options.MemoryLimit / 4) });
    }

    public bool TryFind(string handle, [NotNullWhen(true)] out CachedTicket? ticket) => _tickets.TryGetValue(handle, out ticket) && ticket is not null;

    /// <summary>Takes it over, unless what is there is younger: a renewal may have been written while this was being read.</summary>
    public void Set(string handle, CachedTicket ticket)
    {
        if (_life == TimeSpan.Zero)
        {
            return;
        }

        lock (_changing)
        {
            if (!TryFind(handle, out var other) || other.ReadAt <= ticket.ReadAt)
            {
                _tickets.Set(handle, ticket, Entry(ticket.Size));
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

    public bool TryFindCookie(string text, [NotNullWhen(true)] out AuthenticationTicket? ticket) => _cookies.TryGetValue(text, out ticket) && ticket is not null;

    public void SetCookie(string text, AuthenticationTicket ticket)
    {
        if (_life > TimeSpan.Zero && text.Length <= LongestCookie)
        {
            _cookies.Set(text, ticket, Entry(SizeOfCookie + (sizeof(char) * text.Length)));
        }
    }

    public void Dispose()
    {
        _tickets.Dispose();
        _cookies.Dispose();
    }

    private MemoryCacheEntryOptions Entry(long size) => new() { Size = size, AbsoluteExpirationRelativeToNow = _life };
}
