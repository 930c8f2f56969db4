using Grid.Client;

namespace Grid.AspNetCore.Claims;

/// <summary>Claims are not as required: <see cref="GridFailure.InvalidClaims"/>. Unhandled, the browser gets 403 with the reasons.</summary>
/// <param name="problems">One for each validator that failed.</param>
public sealed class GridClaimsException(IReadOnlyList<ClaimProblem> problems)
    : GridException(GridFailure.InvalidClaims, $"Claims not as required: {string.Join(", ", problems.Select(problem => problem.Id))}")
{
    /// <summary>One for each validator that failed.</summary>
    public IReadOnlyList<ClaimProblem> Problems { get; } = problems;
}
