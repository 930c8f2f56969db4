using System.Text.Json.Nodes;
using Grid.Abstractions.Apps;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Upstream;

/// <summary>Accounts that are one user to the core behind Grid. A session holds the id of the one by which its user signed in.</summary>
internal sealed class LinkedAccounts(UpstreamClient client, UpstreamFailures failures)
{
    // A user has a handful of login methods.
    private const int MaxLinked = 100;

    /// <summary>The other ids of a user; none if that core does not know it.</summary>
    /// <exception cref="CoreException">That core does not say: 503 or 504.</exception>
    public async Task<IReadOnlyList<string>> OthersAsync(HttpContext context, string userId)
    {
        var request = CoreRequest.Of(context);
        var app = request.Path.AppId == AppKey.PublicId ? "" : $"/appid-{request.Path.AppId}";
        var answer = await client.AskAsync(
            "GET",
            $"{app}/user/id?userId={Uri.EscapeDataString(userId)}",
            context.Request.Headers["cdi-version"],
            request.Domain.Length > 0 ? request.Domain : null,
            body: null,
            patience: null,
            CancellationToken.None);
        if (answer.Trouble != UpstreamTrouble.None)
        {
            throw failures.Refuse(context, answer.Trouble);
        }

        if (answer.Json()?["user"] is not JsonObject user)
        {
            return [];
        }

        var methods = (user["loginMethods"] as JsonArray ?? []).Take(MaxLinked).Select(method => UpstreamAnswer.Text((method as JsonObject)?["recipeUserId"]));
        return [.. methods.Append(UpstreamAnswer.Text(user["id"])).OfType<string>().Where(id => id != userId).Distinct(StringComparer.Ordinal)];
    }
}
