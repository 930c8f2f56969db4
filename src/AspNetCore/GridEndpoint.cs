using System.Runtime.CompilerServices;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Claims;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore;

/// <summary>What one endpoint wants otherwise than <see cref="GridOptions"/>; add it as metadata, best by <c>WithGrid</c>.</summary>
/// <remarks>
/// Of a group's and an endpoint's: for each property the nearest that is set counts, and <see cref="ClaimValidators"/> of the
/// endpoint gets what the group's made of the general ones. What <c>RequireGridClaims</c> requires adds up and is never dropped.
/// </remarks>
public sealed class GridEndpoint
{
    private static readonly ConditionalWeakTable<Endpoint, GridEndpoint> Merged = [];

    /// <summary>Whether to check anti-CSRF and the page's origin. Default: unless the method is GET, HEAD, OPTIONS or TRACE.</summary>
    public bool? CheckAntiCsrf { get; init; }

    /// <summary>Whether to ask Grid if the session lives. Default: <see cref="GridOptions.CheckEachRequest"/>.</summary>
    public bool? CheckEachRequest { get; init; }

    /// <summary>From the general validators to this endpoint's. Default: the general ones.</summary>
    public Func<IEnumerable<ClaimValidator>, IEnumerable<ClaimValidator>>? ClaimValidators { get; init; }

    /// <summary>Asks for a session, whatever it claims.</summary>
    internal static GridEndpoint AnyClaims { get; } = new() { ClaimValidators = _ => [] };

    /// <summary>What holds beside <see cref="ClaimValidators"/>, whatever that says.</summary>
    internal IReadOnlyList<ClaimValidator> Required { get; init; } = [];

    /// <summary>All that was said of an endpoint, its groups included; null for nothing.</summary>
    internal static GridEndpoint? Of(Endpoint? endpoint)
    {
        if (endpoint is null)
        {
            return null;
        }

        // Groups come before what is in them.
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
                Required = [.. required.SelectMany(one => one.Validators).Distinct()],
            }),
        };
    }

    internal IReadOnlyList<ClaimValidator> Validators(IReadOnlyList<ClaimValidator> general) =>
        ClaimValidators is null && Required.Count == 0 ? general
        : [.. (ClaimValidators?.Invoke(general) ?? general).Concat(Required).Distinct()];
}
