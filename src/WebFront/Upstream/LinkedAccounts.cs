using System.Text.Json.Nodes;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.WebFront.Core;
using Grid.WebFront.Sessions;

namespace Grid.WebFront.Upstream;

/// <summary>Accounts that are one user to the core behind Grid (docs/decisions/0035).</summary>
internal sealed class LinkedAccounts(UpstreamClient client, UpstreamPulse pulse, UpstreamFailures failures) : IAccounts
{
    // A user has a handful of login methods.
    private const int MaxLinked = 100;

    // A sign-in waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task<AccountOwner> FindOwnerAsync(AppKey app, string recipeUserId)
    {
        try
        {
            return UpstreamAnswer.Text((await FindUserAsync(app, recipeUserId, Patience))?["id"]) is { } userId
                ? new AccountOwner(userId, IsKnown: true)
                : new AccountOwner(recipeUserId, IsKnown: false);
        }
        catch (CoreException refusal)
        {
            throw new StoreUnavailableException(refusal.Message, refusal);
        }
    }

    /// <summary>The other ids of a user, the primary one and those of accounts; none if that core does not know it.</summary>
    /// <exception cref="CoreException">That core does not say: 503 or 504.</exception>
    public async Task<IReadOnlyList<string>> OthersAsync(AppKey app, string userId)
    {
        if (await FindUserAsync(app, userId, patience: null) is not { } user)
        {
            return [];
        }

        var methods = (user["loginMethods"] as JsonArray ?? []).Take(MaxLinked).Select(method => UpstreamAnswer.Text((method as JsonObject)?["recipeUserId"]));
        return [.. methods.Append(UpstreamAnswer.Text(user["id"])).OfType<string>().Where(id => id != userId).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Whether the account belongs to a user from whom it can be taken.</summary>
    /// <exception cref="CoreException">That core does not say: 503 or 504.</exception>
    public async Task<bool> IsLinkedAsync(AppKey app, string recipeUserId) =>

        // Said of every user since accounts can be linked. Where it is not, too many signed out are better than too few.
        await FindUserAsync(app, recipeUserId, patience: null) is { } user && !(user["isPrimaryUser"] is JsonValue said && said.TryGetValue(out bool isPrimary) && !isPrimary);

    /// <summary>Whether the account would be linked, or is, to a user of another id.</summary>
    /// <exception cref="CoreException">That core does not say: 503 or 504.</exception>
    public async Task<bool> WouldLinkAsync(AppKey app, string recipeUserId, string primaryUserId)
    {
        if (UpstreamAnswer.Text((await FindUserAsync(app, primaryUserId, patience: null))?["id"]) is not { } userId || userId == recipeUserId)
        {
            return false;
        }

        var answer = await SendAsync(
            app, $"/recipe/accountlinking/user/link/check?recipeUserId={Uri.EscapeDataString(recipeUserId)}&primaryUserId={Uri.EscapeDataString(primaryUserId)}", patience: null);

        // It says no with an error of the client's too, and gives the reason when it is told to link.
        return answer.Trouble != UpstreamTrouble.None ? throw failures.Refuse(answer.Trouble)
            : answer.Status >= 500 ? throw failures.Refuse(UpstreamTrouble.Failing)
            : answer.Word() == "OK";
    }

    /// <summary>What else a user is called whose id is mapped; nothing if it is not.</summary>
    /// <param name="app">The app.</param>
    /// <param name="userId">Either of the two.</param>
    /// <param name="type">Which of them, in that core's words; null for either.</param>
    /// <exception cref="CoreException">That core does not say: 503 or 504.</exception>
    public async Task<IReadOnlyList<string>> MappedAsync(AppKey app, string userId, string? type)
    {
        var answer = await AskAsync(
            app, $"/recipe/userid/map?userId={Uri.EscapeDataString(userId)}&userIdType={Uri.EscapeDataString(type ?? "ANY")}", patience: null);
        return answer.Json() is { } mapping && UpstreamAnswer.Word(mapping) == "OK"
            ? [.. new[] { UpstreamAnswer.Text(mapping["superTokensUserId"]), UpstreamAnswer.Text(mapping["externalUserId"]) }.OfType<string>().Where(id => id != userId)]
            : [];
    }

    // In that core's own version, whatever the client speaks: accounts can be linked since 4.0.
    private async Task<JsonObject?> FindUserAsync(AppKey app, string userId, TimeSpan? patience)
    {
        if (pulse.Common is null && await pulse.AskAsync("/apiversion", host: null, CancellationToken.None) is not UpstreamTrouble.None and var trouble)
        {
            throw failures.Refuse(trouble);
        }

        if (pulse.Common is { IsEmpty: false } common && common[^1] < CdiVersion.V4)
        {
            return null;
        }

        var answer = await AskAsync(app, $"/user/id?userId={Uri.EscapeDataString(userId)}", patience);
        var json = answer.Json();
        return UpstreamAnswer.Word(json) switch
        {
            "OK" when json!["user"] is JsonObject user => user,
            "UNKNOWN_USER_ID_ERROR" => null,

            // An app that only Grid has, until it is removed here too.
            _ when answer.SaysNotThere() => null,
            _ => throw failures.Refuse(UpstreamTrouble.Odd),
        };
    }

    private async Task<UpstreamAnswer> AskAsync(AppKey app, string path, TimeSpan? patience)
    {
        // Of an error nothing follows: taken for "nobody else", it would have a revocation acknowledged that is not complete.
        var answer = (await SendAsync(app, path, patience)).OrFailing();
        return answer.Trouble == UpstreamTrouble.None ? answer : throw failures.Refuse(answer.Trouble);
    }

    private Task<UpstreamAnswer> SendAsync(AppKey app, string path, TimeSpan? patience) => client.AskAsync(
        "GET",
        (app.AppId == AppKey.PublicId ? "" : $"/appid-{app.AppId}") + path,
        pulse.Version,
        app.Domain.Length > 0 ? app.Domain : null,
        body: null,
        patience,
        CancellationToken.None);
}
