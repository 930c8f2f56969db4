using System.ComponentModel.DataAnnotations;

namespace Grid.Silo.Settings;

/// <summary>The core API's door. Section <c>Grid:Core</c>.</summary>
internal sealed class CoreApiOptions
{
    public const string Section = "Grid:Core";

    /// <summary>Address to listen on. Default 127.0.0.1; another one needs API keys.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port. Default 3567; 0 takes a free one.</summary>
    [Range(0, 65535, ErrorMessage = "Grid:Core:Port must lie between 0 and 65535.")]
    public int Port { get; set; } = 3567;

    /// <summary>Comma-separated, each at least 20 characters of A-Z, a-z, 0-9, '=' and '-'. Default none.</summary>
    public string? ApiKeys { get; set; }

    /// <summary>Connections at once; further ones are closed. Default: a third of what the process may open, beside what it needs itself; at most 20000.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Grid:Core:MaxConnections must lie between 1 and 1000000.")]
    public int? MaxConnections { get; set; }

    /// <summary>Serve an address other than loopback without any API key. Default false.</summary>
    public bool AllowInsecureAddress { get; set; }
}
