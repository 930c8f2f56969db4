using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Endpoints;

/// <summary>Limits the open event streams: each holds a connection for hours, and anyone with a session can open one.</summary>
internal sealed class EventStreams(IOptions<GridOptions> options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Tenant, string Handle), int> _bySession = [];
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private int _all;

    /// <summary>Takes a place, which is released on disposal; null if there is none, with the status code to return.</summary>
    public IDisposable? TryEnter((string Tenant, string Handle) session, IPAddress? address, out int refusal)
    {
        var limits = options.Value;
        var counted = address is not null && !IPAddress.IsLoopback(address) ? address : null;
        lock (_lock)
        {
            var ofSession = _bySession.GetValueOrDefault(session);
            var ofAddress = counted is null ? 0 : _byAddress.GetValueOrDefault(counted);
            refusal = ofSession >= limits.MaxEventStreamsPerSession || ofAddress >= limits.MaxEventStreamsPerAddress ? StatusCodes.Status429TooManyRequests
                : _all >= limits.MaxEventStreams ? StatusCodes.Status503ServiceUnavailable
                : 0;
            if (refusal != 0)
            {
                return null;
            }

            _all++;
            _bySession[session] = ofSession + 1;
            if (counted is not null)
            {
                _byAddress[counted] = ofAddress + 1;
            }

            return new Place(this, session, counted);
        }
    }

    private void Leave((string Tenant, string Handle) session, IPAddress? address)
    {
        lock (_lock)
        {
            _all--;
            Decrement(_bySession, session);
            if (address is not null)
            {
                Decrement(_byAddress, address);
            }
        }
    }

    private static void Decrement<TKey>(Dictionary<TKey, int> counts, TKey key)
        where TKey : notnull
    {
        if (--counts[key] == 0)
        {
            counts.Remove(key);
        }
    }

    private sealed class Place(EventStreams streams, (string Tenant, string Handle) session, IPAddress? address) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                streams.Leave(session, address);
            }
        }
    }
}
