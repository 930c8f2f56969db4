using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grid.Abstractions.Telemetry;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Doors;

/// <summary>
/// Slows down guessing of a secret: beyond a number of failures per minute and address, further failures are told to wait. Only failures
/// are counted, so a valid key is never locked out.
/// </summary>
/// <remarks>
/// Counts by the address of the connection. Behind a proxy that is the proxy's, which does not affect callers with a valid secret.
/// </remarks>
internal sealed partial class GuessBrake : IDisposable
{
    // About 100 bytes each. Addresses beyond that share one count.
    private const int MaxAddresses = 4096;

    // An attacker with many addresses must not be able to flood the log.
    private const int MaxNamed = 16;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly IPAddress Swarm = IPAddress.None;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Failures> _failures = [];
    private readonly string _secret;
    private readonly int _limit;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Counter<long> _refused;
    private readonly ITimer _sweep;
    private bool _sweeping;
    private int _named;

    /// <param name="secret">The name of the secret in the log.</param>
    /// <param name="limit">Failures allowed per minute and address.</param>
    /// <param name="meters">For <c>grid.secrets.refused</c>.</param>
    /// <param name="clock">Measures the minute.</param>
    /// <param name="logger">Gets one line per address and minute.</param>
    public GuessBrake(string secret, int limit, IMeterFactory meters, TimeProvider clock, ILogger logger)
    {
        (_secret, _limit, _clock, _logger) = (secret, limit, clock, logger);
        _refused = meters.Create(new MeterOptions(GridMetrics.MeterName)).CreateCounter<long>(
            "grid.secrets.refused", "{request}", "Requests with a wrong API key or ticket.");
        _sweep = clock.CreateTimer(_ => Sweep(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Number of addresses that are tracked.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _failures.Count;
            }
        }
    }

    /// <summary>Counts a failure.</summary>
    /// <returns>How long the address has to wait; null if it may try again.</returns>
    public TimeSpan? Failed(IPAddress? address)
    {
        _refused.Add(1, new KeyValuePair<string, object?>("grid.secret", _secret));
        var now = _clock.GetTimestamp();
        IPAddress? first = null;
        TimeSpan? wait = null;
        lock (_lock)
        {
            var key = Network(address);
            if (_failures.TryGetValue(key, out var failures) && _clock.GetElapsedTime(failures.Since, now) >= Minute)
            {
                End(key, failures);
                failures = null;
            }

            if (failures is null)
            {
                if (_failures.Count >= MaxAddresses)
                {
                    key = Swarm;
                }

                if (!_failures.TryGetValue(key, out failures))
                {
                    _failures.Add(key, failures = new Failures { Since = now });
                    first = _named++ < MaxNamed ? key : null;
                }
            }

            if (++failures.Count > _limit)
            {
                wait = Minute - _clock.GetElapsedTime(failures.Since, now);
            }

            if (!_sweeping)
            {
                _sweeping = true;
                _sweep.Change(Minute, Timeout.InfiniteTimeSpan);
            }
        }

        if (first is not null)
        {
            Log.First(_logger, _secret, Name(first), _limit);
        }

        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    /// <summary>A wait for <c>Retry-After</c>: whole seconds, at least one.</summary>
    public static string Seconds(TimeSpan wait) => Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    public void Dispose() => _sweep.Dispose();

    // A single household or host has a whole IPv6 /64.
    private static IPAddress Network(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.Any;
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private static string Name(IPAddress network) => network.Equals(Swarm) ? "more addresses than are counted apart"
        : network.AddressFamily == AddressFamily.InterNetworkV6 ? $"{network}/64" : network.ToString();

    private void Sweep()
    {
        lock (_lock)
        {
            var now = _clock.GetTimestamp();
            long more = 0;
            int named = 0, others = 0;
            foreach (var (address, failures) in _failures)
            {
                if (_clock.GetElapsedTime(failures.Since, now) < Minute)
                {
                    continue;
                }

                if (failures.Count == 1 || named++ < MaxNamed)
                {
                    End(address, failures);
                }
                else
                {
                    _failures.Remove(address);
                    more += failures.Count;
                    others++;
                }
            }

            if (others > 0)
            {
                Log.Others(_logger, more, _secret, others);
            }

            _named = 0;
            _sweeping = _failures.Count > 0;
            if (_sweeping)
            {
                _sweep.Change(Minute, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void End(IPAddress address, Failures failures)
    {
        _failures.Remove(address);
        if (failures.Count > 1)
        {
            Log.Total(_logger, failures.Count, _secret, Name(address));
        }
    }

    private sealed class Failures
    {
        public required long Since { get; init; }

        public int Count { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(3110, LogLevel.Warning, "Wrong {Secret} from {Address}. Further ones within a minute are counted, and refused with 429 beyond {Limit}")]
        public static partial void First(ILogger logger, string secret, string address, int limit);

        [LoggerMessage(3111, LogLevel.Warning, "{Count} requests with a wrong {Secret} from {Address} within a minute")]
        public static partial void Total(ILogger logger, int count, string secret, string address);

        [LoggerMessage(3112, LogLevel.Warning, "{Count} requests with a wrong {Secret} from {Addresses} other addresses within a minute")]
        public static partial void Others(ILogger logger, long count, string secret, int addresses);
    }
}
