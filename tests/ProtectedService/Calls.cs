using System.Text.Json.Nodes;
using Grid.Client;

namespace Grid.ProtectedService;

/// <summary>What a back end does with <see cref="IGridSessions"/>, for whoever speaks to the core API: the same requests and answers, as far as drills need them.</summary>
internal static class Calls
{
    public static void MapCalls(this WebApplication app)
    {
        app.MapPost("/recipe/session", (JsonObject body, IGridSessions sessions) => AnswerAsync(async () =>
        {
            var draft = new SessionDraft { UserId = (string)body["userId"]! };
            var made = await sessions.CreateAsync(body["userDataInDatabase"] is { } data ? draft with { DataJson = data.ToJsonString() } : draft, CancellationToken.None);
            return Tokens(made.Tokens, new JsonObject { ["status"] = "OK", ["session"] = new JsonObject { ["handle"] = made.Handle } });
        }));
        app.MapPost("/recipe/session/refresh", (JsonObject body, IGridSessions sessions) => AnswerAsync(async () =>
        {
            var refresh = await sessions.RefreshAsync(new TokenToRefresh((string)body["refreshToken"]!, false, null, true), CancellationToken.None);
            return refresh.Tokens is { } tokens ? Tokens(tokens, new JsonObject { ["status"] = "OK" }) : new JsonObject { ["status"] = refresh.Verdict.ToString() };
        }));
        app.MapPost("/session/revoke", (JsonObject body, IGridSessions sessions) => AnswerAsync(async () =>
        {
            var revoked = body["sessionHandles"] is JsonArray handles
                ? await sessions.RevokeAsync([.. handles.Select(handle => (string)handle!)], GridRevocationReason.Requested, CancellationToken.None)
                : await sessions.RevokeUserAsync((string)body["userId"]!, null, null, CancellationToken.None);
            return new JsonObject
            {
                ["position"] = revoked.Receipt.Position,
                ["holders"] = new JsonObject { ["confirmed"] = revoked.Receipt.Confirmed, ["waitedOut"] = revoked.Receipt.Waited },
            };
        }));
    }

    // What has begun goes on when the caller has left, as in a job.
    private static async Task<IResult> AnswerAsync(Func<Task<JsonObject>> call)
    {
        try
        {
            return Results.Text((await call()).ToJsonString(), "application/json");
        }
        catch (GridException failure) when (failure.Reason is GridFailure.Unavailable or GridFailure.StillWaiting)
        {
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static JsonObject Tokens(SessionTokens tokens, JsonObject answer)
    {
        answer["accessToken"] = new JsonObject { ["token"] = tokens.Access.Text };
        answer["refreshToken"] = new JsonObject { ["token"] = tokens.Refresh.Text };
        return answer;
    }
}
