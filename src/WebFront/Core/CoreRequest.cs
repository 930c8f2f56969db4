using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grid.WebFront.Core;

/// <summary>What the gate found out about a request; a feature of its context.</summary>
internal sealed class CoreRequest
{
    public required CorePath Path { get; init; }

    /// <summary>Connection-URI domain that the host name stands for; empty by default.</summary>
    public string Domain { get; set; } = "";

    public string TenantId => Path.TenantId;

    /// <summary>The app; set before any handler runs.</summary>
    public AppSnapshot App { get; set; } = null!;

    public CdiVersion Version { get; set; } = CdiVersion.Newest;

    public static CoreRequest Of(HttpContext context) => context.Features.GetRequiredFeature<CoreRequest>();

    public bool IsPublicTenant => TenantId == TenantKey.PublicId;
}
