namespace Grid.HostKit;

/// <summary>What tests look at in a front's answers.</summary>
internal static class Answers
{
    public static async Task<(int Status, string Text)> Brief(Task<FrontAnswer> answer) => ((await answer).Status, (await answer).Text);

    public static void AssertCleared(FrontAnswer answer, string body)
    {
        Assert.Equal((401, body), (answer.Status, answer.Text));
        Assert.StartsWith("cleared; Path=/; Expires=1970; HttpOnly; Secure; SameSite=", answer.Cookie("sAccessToken", default), StringComparison.Ordinal);
        Assert.StartsWith("cleared; Path=/auth/session/refresh; Expires=1970; HttpOnly; Secure; SameSite=", answer.Cookie("sRefreshToken", default), StringComparison.Ordinal);
        Assert.Equal(("", "", "remove"), (answer.Header("st-access-token"), answer.Header("st-refresh-token"), answer.Header("front-token")));
        Assert.Equal("front-token, st-access-token, st-refresh-token", string.Join(", ", answer.Header("Access-Control-Expose-Headers")!.Split(", ").Order()));
        Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
    }
}
