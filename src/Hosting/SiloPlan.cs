using Grid.Hosting.Settings;
using Grid.Tokens;

namespace Grid.Hosting;

/// <summary>What a <see cref="SiloApplication"/> is made of.</summary>
internal sealed class SiloPlan
{
    /// <summary>What the silo's own services may read.</summary>
    public required IConfigurationRoot Configuration { get; init; }

    /// <summary>What the silo is told.</summary>
    public required GridSettings Settings { get; init; }

    /// <summary>Keys that were set below <c>Grid</c> and mean nothing, each with the nearest that does.</summary>
    public IEnumerable<(string Key, string Nearest)> UnknownKeys { get; init; } = [];

    /// <summary>Whether the core API gets its port.</summary>
    public bool OpensCore { get; init; } = true;

    /// <summary>Whether the front gets its port.</summary>
    public required bool OpensFront { get; init; }

    /// <summary>Whether a silo that is alone takes Orleans clients, too; one of a cluster does if <c>Grid:Cluster:GatewayPort</c> says so.</summary>
    public bool OpensGateway { get; init; }

    /// <summary>Pages for operators on the core API's port, each with its path, the only key besides the installation's API keys that opens it, and what answers.</summary>
    public IReadOnlyList<(string Path, TokenHash? Key, Action<IApplicationBuilder> Answer)> OperatorPages { get; init; } = [];

    /// <summary>As <c>IHostEnvironment</c> names it. Null: what this process was started in.</summary>
    public string? Environment { get; init; }

    /// <summary>What is added to it or replaced in it, last.</summary>
    public Action<WebApplicationBuilder> Complete { get; init; } = _ => { };
}
