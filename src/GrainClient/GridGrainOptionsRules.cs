using System.Globalization;
using Grid.GrainDoors.Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Grid.GrainClient;

/// <summary>Fills in defaults and refuses what cannot work.</summary>
internal sealed class GridGrainOptionsRules(IConfiguration? configuration = null, TimeProvider? clock = null)
    : IPostConfigureOptions<GridGrainClientOptions>, IValidateOptions<GridGrainClientOptions>, IValidateOptions<GridGrainOptions>
{
    private const int LongestApp = 320;
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);

    public void PostConfigure(string? name, GridGrainClientOptions options)
    {
        if (options is { ConnectionString: null, Gateways.Count: 0 } && configuration?.GetConnectionString("GridCluster") is { Length: > 0 } connection)
        {
            options.ConnectionString = connection;
        }
    }

    public ValidateOptionsResult Validate(string? name, GridGrainClientOptions options) => Result([.. Problems(options), .. Connection(options), .. Certificates(options) is { } unusable ? [unusable] : (string[])[]]);

    public ValidateOptionsResult Validate(string? name, GridGrainOptions options) => Result([.. Problems(options)]);

    /// <summary>Host and port of a gateway as it was written.</summary>
    internal static bool TryReadGateway(string? text, out string host, out int port)
    {
        var colon = text?.LastIndexOf(':') ?? -1;
        host = colon > 0 ? text![..colon].Trim('[', ']', ' ') : "";
        port = 0;
        return host.Length > 0 && !host.Contains('/', StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue;
    }

    private static ValidateOptionsResult Result(string[] problems) => problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);

    private static IEnumerable<string> Problems(GridGrainOptions options)
    {
        if (options.App is not { Length: > 0 and <= LongestApp })
        {
            yield return "App is an app's id, like 'shop' (with '@domain' behind it for one of a connection URI domain), or 'public'; it is not empty.";
        }

        foreach (var (limit, value) in new[] { (nameof(options.Timeout), options.Timeout), (nameof(options.RevocationTimeout), options.RevocationTimeout) })
        {
            if (value <= TimeSpan.Zero || value > LongestTimeout)
            {
                yield return $"{limit} is more than zero and at most one hour; {value} is not.";
            }
        }
    }

    private static IEnumerable<string> Connection(GridGrainClientOptions options)
    {
        if (string.IsNullOrEmpty(options.ClusterId))
        {
            yield return "ClusterId is the silos' Grid:Cluster:Id ('grid' if that was not changed); it is not empty.";
        }

        if (options.ConnectionString is not null && options.Gateways.Count > 0)
        {
            yield return "ConnectionString and Gateways are two ways to find the silos: set one of them.";
        }
        else if (options is { ConnectionString: null, Gateways.Count: 0, ConfigureClient: null })
        {
            yield return "Nothing says where the silos are: set ConnectionString (or the connection string GridCluster) to the cluster's PostgreSQL, or Gateways to their addresses, host:port.";
        }

        if (options.ConnectionString is { } connection && !IsConnectionString(connection))
        {
            // Who sees the message need not see what else stands there, such as a password.
            yield return "ConnectionString (or the connection string GridCluster) is one of Npgsql, like 'Host=db;Database=grid;Username=…;Password=…'; what is there is not, nor is a URI.";
        }

        foreach (var gateway in options.Gateways.Where(gateway => !TryReadGateway(gateway, out _, out _)))
        {
            yield return $"Gateways are written host:port, with the port of Grid:Cluster:GatewayPort; '{gateway}' is not.";
        }
    }

    private string? Certificates(GridGrainClientOptions options)
    {
        try
        {
            _ = options.Certificates() is { } files ? new PeerCertificates(files, isSilo: false, clock ?? TimeProvider.System).Current : null;
            return null;
        }
        catch (UnusableCertificateException failure)
        {
            return failure.Message;
        }
    }

    private static bool IsConnectionString(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text).Host is { Length: > 0 };
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or InvalidOperationException)
        {
            return false;
        }
    }
}
