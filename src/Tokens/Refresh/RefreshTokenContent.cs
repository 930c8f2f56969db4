namespace Grid.Tokens.Refresh;

/// <summary>Content of a refresh token, without its secret part.</summary>
/// <param name="App">Text form of the app that it belongs to.</param>
/// <param name="SessionHandle">Text form of the session's handle, tenant included.</param>
/// <param name="ParentHash1"><c>refreshTokenHash1</c> of the token that it was refreshed from; null on a session's first.</param>
/// <param name="AntiCsrfToken">The anti-CSRF token that it belongs to, if any.</param>
internal sealed record RefreshTokenContent(string App, string SessionHandle, TokenHash? ParentHash1, string? AntiCsrfToken);
