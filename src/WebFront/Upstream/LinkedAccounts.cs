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
        var answer = await AskAsync(context, $"/user/id?userId={Uri.EscapeDataString(userId)}");
        if (answer.Json()?["user"] is not JsonObject user)
        {
            return [];
        }

        var methods = (user["loginMethods"] as JsonArray ?? []).Take(MaxLinked).Select(method => UpstreamAnswer.Text((method as JsonObject)?["recipeUserId"]));
        return [.. methods.Append(UpstreamAnswer.Text(user["id"])).OfType<string>().Where(id => id != userId).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>What else a user is called whose id is mapped; nothing if it is not.</summary>
    /// <param name="context">The request.</param>
    /// <param name="userId">Either of the two.</param>
    /// <param name="type">Which of them, in that core's words; null for either.</param>
    /// <exception cref="CoreException">That core does not say: 503 or 504.</exception>
    public async Task<IReadOnlyList<string>> MappedAsync(HttpContext context, string userId, string? type)
    {
        var answer = await AskAsync(context, $"/recipe/userid/map?userId={Uri.EscapeDataString(userId)}&userIdType={Uri.EscapeDataString(type ?? "ANY")}");
        return answer.Json() is { } mapping && UpstreamAnswer.Word(mapping) == "OK"
            ? [.. new[] { UpstreamAnswer.Text(mapping["superTokensUserId"]), UpstreamAnswer.Text(mapping["externalUserId"]) }.OfType<string>().Where(id => id != userId)]
            : [];
    }

    private async Task<UpstreamAnswer> AskAsync(HttpContext context, string path)
    {
        var request = CoreRequest.Of(context);
        var app = request.Path.AppId == AppKey.PublicId ? "" : $"/appid-{request.Path.AppId}";
        var answer = await client.AskAsync(
            "GET",
            app + path,
            context.Request.Headers["cdi-version"],
            request.Domain.Length > 0 ? request.Domain : null,
            body: null,
            patience: null,
            CancellationToken.None);
        return answer.Trouble == UpstreamTrouble.None ? answer : throw failures.Refuse(context, answer.Trouble);
    }
}
