using System.Collections.Concurrent;
using System.Net;
using Grid.Revocation.Outages;

namespace Grid.Hosting.Serving;

/// <summary>Counts open connections and refuses those beyond the limits.</summary>
internal sealed partial class Door : IDisposable
{
    private readonly string _name;
    private readonly int _max;
    private readonly int _maxPerAddress;
    private readonly OutageTally _refused;
    private readonly ConcurrentDictionary<IPAddress, int> _inside = new();
    private int _count;

    /// <param name="name">As the log calls it.</param>
    /// <param name="max">Connections at once.</param>
    /// <param name="maxPerAddress">Connections per address; loopback addresses, where proxies run, are not limited.</param>
    /// <param name="clock">For the log's pauses.</param>
    /// <param name="logger">Gets a line when it is full.</param>
    public Door(string name, int max, int maxPerAddress, TimeProvider clock, ILogger logger)
    {
        (_name, _max, _maxPerAddress) = (name, max, maxPerAddress);
        _refused = new OutageTally(
            clock,
            (why, _) => Log.Full(logger, name, why),
            more => Log.StillFull(logger, name, more.Count, more.Kinds),
            all => Log.Over(logger, name, all.Count, all.Lasted));
    }

    public int Count => Volatile.Read(ref _count);

    /// <summary>Admits a connection, or returns why it is refused.</summary>
    public string? Refuse(EndPoint? remote)
    {
        if (Interlocked.Increment(ref _count) > _max)
        {
            Interlocked.Decrement(ref _count);
            return Refused($"all {_max} connections are taken");
        }

        if (Counted(remote) is { } address && _inside.AddOrUpdate(address, 1, static (_, inside) => inside + 1) > _maxPerAddress)
        {
            Leave(remote);
            return Refused($"one address has {_maxPerAddress} connections");
        }

        return null;
    }

    /// <summary>A connection that was let in has ended.</summary>
    public void Leave(EndPoint? remote)
    {
        Interlocked.Decrement(ref _count);
        if (Counted(remote) is not { } address)
        {
            return;
        }

        if (_inside.AddOrUpdate(address, 0, static (_, inside) => inside - 1) == 0)
        {
            _inside.TryRemove(KeyValuePair.Create(address, 0));
        }
    }

    public void Dispose() => _refused.Dispose();

    private static IPAddress? Counted(EndPoint? remote) => remote is IPEndPoint { Address: var address } && !IPAddress.IsLoopback(address) ? address : null;

    private string Refused(string why)
    {
        _refused.Met(why, null);
        return $"{_name}: {why}";
    }

    private static partial class Log
    {
        [LoggerMessage(1020, LogLevel.Warning, "{Door} is closing new connections: {Why}. Further ones are counted")]
        public static partial void Full(ILogger logger, string door, string why);

        [LoggerMessage(1021, LogLevel.Warning, "{Door} closed {Count} more new connections ({Why})")]
        public static partial void StillFull(ILogger logger, string door, long count, string why);

        [LoggerMessage(1022, LogLevel.Information, "{Door} accepts connections again; it closed {Count} in {Lasted}")]
        public static partial void Over(ILogger logger, string door, long count, TimeSpan lasted);
    }
}
