namespace Grid.AspNetCore.Browser;

/// <summary>How the tokens of a session that is being made will travel.</summary>
/// <param name="Transfer">By cookie or header.</param>
/// <param name="WithAntiCsrf">Whether to bind an anti-CSRF token.</param>
internal readonly record struct HandOver(TokenTransfer Transfer, bool WithAntiCsrf);
