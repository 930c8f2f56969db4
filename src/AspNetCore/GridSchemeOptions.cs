using Microsoft.AspNetCore.Authentication;

namespace Grid.AspNetCore;

/// <summary>Required by the framework, and empty: see <see cref="GridOptions"/>.</summary>
public sealed class GridSchemeOptions : AuthenticationSchemeOptions;
