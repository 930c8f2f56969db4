using Grid.Abstractions.Apps;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grid.WebFront.Core;

/// <summary>What the gate determined about a request; a feature of its context.</summary>
internal sealed class CoreRequest
{
    public required CorePath Path { get; init; }

    /// <summary>The connection URI domain of the request's host; empty for the default one.</summary>
    public string Domain { get; set; } = "";

    public string TenantId => Path.TenantId;

    /// <summary>The app; set before any handler runs.</summary>
    public AppSnapshot App { get; set; } = null!;

    /// <summary>The app whose back end asks; null if nobody has checked that, or if only the core behind Grid knows the app.</summary>
    public AppKey? Caller { get; set; }

    public CdiVersion Version { get; set; } = CdiVersion.Newest;

    public static CoreRequest Of(HttpContext context) => context.Features.GetRequiredFeature<CoreRequest>();

    public bool IsPublicTenant => TenantId == TenantKey.PublicId;
}
