using Grid.Client;

namespace Grid.AspNetCore.Claims;

/// <summary>
/// Claims failed validation: <see cref="GridFailure.InvalidClaims"/>. If this is not handled, the browser gets 403 with the reasons.
/// </summary>
/// <param name="problems">One for each validator that failed.</param>
public sealed class GridClaimsException(IReadOnlyList<ClaimProblem> problems)
    : GridException(GridFailure.InvalidClaims, $"Claims failed validation: {string.Join(", ", problems.Select(problem => problem.Id))}")
{
    /// <summary>One for each validator that failed.</summary>
    public IReadOnlyList<ClaimProblem> Problems { get; } = problems;
}
