using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.AspNetCore.Claims;

namespace Grid.AspNetCore.Authentication;

/// <summary>Requires that the user signed in a short time ago. A refresh is no sign-in.</summary>
internal sealed class SignInAge(TimeSpan maxAge) : ClaimValidator("authenticated-within")
{
    // Grid's clock may be ahead of this machine's. One that is further ahead says nothing about how long ago the sign-in was.
    private static readonly TimeSpan MaxAhead = TimeSpan.FromSeconds(5);

    public TimeSpan MaxAge => maxAge;

    /// <summary>Not by the payload alone: <see cref="GridSession"/> knows when.</summary>
    public override ClaimProblem? Validate(JsonElement payload, DateTimeOffset now) => throw new NotSupportedException();

    public ClaimProblem? Validate(DateTimeOffset signedInAt, DateTimeOffset now) => now - signedInAt is var age && age <= maxAge && age >= -MaxAhead
        ? null
        : new ClaimProblem(Id, new JsonObject { ["message"] = age < TimeSpan.Zero ? "in the future" : "expired", ["ageInSeconds"] = age.TotalSeconds, ["maxAgeInSeconds"] = maxAge.TotalSeconds });

    /// <summary>Only the strictest of them says whether and why a request is refused.</summary>
    public static IEnumerable<ClaimValidator> Strictest(IEnumerable<ClaimValidator> validators)
    {
        ClaimValidator[] all = [.. validators];
        return all.OfType<SignInAge>().MinBy(one => one.MaxAge) is { } strictest ? [.. all.Where(one => one is not SignInAge), strictest] : all;
    }

    /// <summary>When a session was created, by its handle: a UUID of version 7 begins with the milliseconds (RFC 9562, section 5.7).</summary>
    /// <returns>Null if the handle does not say so.</returns>
    public static DateTimeOffset? ReadCreation(string handle) =>
        handle.Length >= 36 && handle[14] == '7'
        && long.TryParse(string.Concat(handle.AsSpan(0, 8), handle.AsSpan(9, 4)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var milliseconds)
        && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
}
