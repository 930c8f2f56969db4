using System.Runtime.CompilerServices;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Claims;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore;

/// <summary>Per-endpoint overrides of <see cref="GridOptions"/>. Apply them with <c>WithGrid</c>.</summary>
/// <remarks>
/// If both a group and an endpoint have overrides, each property is taken from the innermost one that sets it, and the endpoint's
/// <see cref="ClaimValidators"/> receives the result of the group's. Requirements of <c>RequireGridClaims</c> add up and are never dropped.
/// </remarks>
public sealed class GridEndpoint
{
    private static readonly ConditionalWeakTable<Endpoint, GridEndpoint> Merged = [];

    /// <summary>
    /// Whether to check the anti-CSRF token or header and the page's origin. Default: for all methods but GET, HEAD, OPTIONS and TRACE.
    /// </summary>
    public bool? CheckAntiCsrf { get; init; }

    /// <summary>Whether the session must still be active. Default: <see cref="GridOptions.CheckEachRequest"/>.</summary>
    public bool? CheckEachRequest { get; init; }

    /// <summary>Computes this endpoint's validators from those of <see cref="GridOptions.ClaimValidators"/>. Default: no change.</summary>
    public Func<IEnumerable<ClaimValidator>, IEnumerable<ClaimValidator>>? ClaimValidators { get; init; }

    /// <summary>Requires a session but none of its claims.</summary>
    internal static GridEndpoint AnyClaims { get; } = new() { ClaimValidators = _ => [] };

    /// <summary>Validators that apply in addition to <see cref="ClaimValidators"/>, which cannot remove them.</summary>
    internal IReadOnlyList<ClaimValidator> Required { get; init; } = [];

    /// <summary>The combined overrides of an endpoint and its groups; null if there are none.</summary>
    internal static GridEndpoint? Of(Endpoint? endpoint)
    {
        if (endpoint is null)
        {
            return null;
        }

        // Outer groups come first.
        var wanted = endpoint.Metadata.GetOrderedMetadata<GridEndpoint>();
        var required = endpoint.Metadata.GetOrderedMetadata<RequiredGridClaims>();
        return (wanted.Count, required.Count) switch
        {
            (0, 0) => null,
            (1, 0) => wanted[0],
            _ => Merged.GetValue(endpoint, _ => new GridEndpoint
            {
                CheckAntiCsrf = wanted.LastOrDefault(one => one.CheckAntiCsrf is not null)?.CheckAntiCsrf,
                CheckEachRequest = wanted.LastOrDefault(one => one.CheckEachRequest is not null)?.CheckEachRequest,
                ClaimValidators = wanted.Any(one => one.ClaimValidators is not null)
                    ? general => wanted.Aggregate(general, (validators, one) => one.ClaimValidators?.Invoke(validators) ?? validators)
                    : null,
                Required = [.. SignInAge.Strictest(required.SelectMany(one => one.Validators).Distinct())],
            }),
        };
    }

    internal IReadOnlyList<ClaimValidator> Validators(IReadOnlyList<ClaimValidator> general) =>
        ClaimValidators is null && Required.Count == 0 ? general
        : [.. (ClaimValidators?.Invoke(general) ?? general).Concat(Required).Distinct()];
}
