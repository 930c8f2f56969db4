using System.Text.Json.Nodes;
using Grid.Abstractions.Apps;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Upstream;

/// <summary>Accounts that are one user to the core behind Grid. A session holds the id of the one by which its user signed in.</summary>
internal sealed class LinkedAccounts(UpstreamClient client, UpstreamFailures failures, UpstreamPulse pulse)
{
    // A user has a handful of login methods.
    private const int MaxLinked = 100;

    /// <summary>The other ids of a user; none if that core does not know it.</summary>
    /// <exception cref="CoreException">That core does not say: 503 or 504.</exception>
    public async Task<IReadOnlyList<string>> OthersAsync(HttpContext context, string userId)
    {
        // Accounts can be linked since 4.0. By an older version users are of another shape: then it is asked in the newest that both serve.
        string? version = context.Request.Headers["cdi-version"];
        if (CdiVersion.TryParse(version ?? "", out var said) && said < CdiVersion.V4 && pulse.Common is { IsEmpty: false } common)
        {
            if (common[^1] < CdiVersion.V4)
            {
                return [];
            }

            version = common[^1].ToString();
        }

        var answer = await AskAsync(context, version, $"/user/id?userId={Uri.EscapeDataString(userId)}");
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
        var answer = await AskAsync(context, context.Request.Headers["cdi-version"], $"/recipe/userid/map?userId={Uri.EscapeDataString(userId)}&userIdType={Uri.EscapeDataString(type ?? "ANY")}");
        return answer.Json() is { } mapping && UpstreamAnswer.Word(mapping) == "OK"
            ? [.. new[] { UpstreamAnswer.Text(mapping["superTokensUserId"]), UpstreamAnswer.Text(mapping["externalUserId"]) }.OfType<string>().Where(id => id != userId)]
            : [];
    }

    private async Task<UpstreamAnswer> AskAsync(HttpContext context, string? version, string path)
    {
        var request = CoreRequest.Of(context);
        var app = request.Path.AppId == AppKey.PublicId ? "" : $"/appid-{request.Path.AppId}";
        var answer = await client.AskAsync(
            "GET",
            app + path,
            version,
            request.Domain.Length > 0 ? request.Domain : null,
            body: null,
            patience: null,
            CancellationToken.None);

        // Of an error nothing follows: taken for "nobody else", it would have a revocation acknowledged that is not complete.
        answer = answer.OrFailing();
        return answer.Trouble == UpstreamTrouble.None ? answer : throw failures.Refuse(context, answer.Trouble);
    }
}
