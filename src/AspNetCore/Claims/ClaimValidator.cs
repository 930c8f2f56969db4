using System.Text.Json;
using System.Text.Json.Nodes;

namespace Grid.AspNetCore.Claims;

/// <summary>Why a claim failed validation; sent to the browser as <c>{"id", "reason"}</c>.</summary>
/// <param name="Id">The validator's id.</param>
/// <param name="Reason">What was expected, and what was found.</param>
public sealed record ClaimProblem(string Id, JsonObject Reason);

/// <summary>A requirement on a session's claims.</summary>
/// <param name="id">Tells the browser which requirement failed; usually the claim's key.</param>
public abstract class ClaimValidator(string id)
{
    /// <summary>Tells the browser which requirement failed; usually the claim's key.</summary>
    public string Id { get; } = id;

    /// <summary>The claim to fetch before <see cref="Validate"/> if it is missing or too old; null if there is nothing to fetch.</summary>
    public virtual SessionClaim? ClaimToFetch(JsonElement payload, DateTimeOffset now) => null;

    /// <summary>Validates the payload.</summary>
    /// <returns>What is wrong with it; null if it passes.</returns>
    public abstract ClaimProblem? Validate(JsonElement payload, DateTimeOffset now);
}

/// <summary>Requires a claim's value to pass a test, and not to be too old.</summary>
/// <param name="claim">The claim.</param>
/// <param name="id">The validator's id; null for the claim's key.</param>
/// <param name="maxAge">The oldest value to accept; null for any age.</param>
/// <param name="expectation">The member of the reason that tells what was expected.</param>
/// <param name="expected">What is expected.</param>
/// <param name="test">Tests the value.</param>
internal sealed class ClaimValueValidator(
    SessionClaim claim, string? id, TimeSpan? maxAge, string expectation, JsonNode? expected, Func<JsonElement, bool> test) : ClaimValidator(id ?? claim.Key)
{
    public override SessionClaim? ClaimToFetch(JsonElement payload, DateTimeOffset now) =>
        !claim.TryGetValue(payload, out _) || (maxAge is { } age && claim.FetchedAt(payload) is { } at && now - at > age) ? claim : null;

    public override ClaimProblem? Validate(JsonElement payload, DateTimeOffset now)
    {
        if (!claim.TryGetValue(payload, out var value))
        {
            return Problem(new JsonObject { ["message"] = "value does not exist", [expectation] = expected?.DeepClone() });
        }

        var seconds = claim.FetchedAt(payload) is { } at ? (now - at).TotalSeconds : double.MaxValue;
        if (maxAge is { } limit && seconds > limit.TotalSeconds)
        {
            return Problem(new JsonObject { ["message"] = "expired", ["ageInSeconds"] = seconds, ["maxAgeInSeconds"] = limit.TotalSeconds });
        }

        return test(value)
            ? null
            : Problem(new JsonObject { ["message"] = "wrong value", [expectation] = expected?.DeepClone(), ["actualValue"] = JsonNode.Parse(value.GetRawText()) });
    }

    private ClaimProblem Problem(JsonObject reason) => new(Id, reason);
}
