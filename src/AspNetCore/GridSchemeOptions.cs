using Microsoft.AspNetCore.Authentication;

namespace Grid.AspNetCore;

/// <summary>Nothing: what can be set is in <see cref="GridOptions"/>.</summary>
public sealed class GridSchemeOptions : AuthenticationSchemeOptions;
