namespace Grid.AspNetCore;

/// <summary>
/// An endpoint that serves both the signed in and strangers, and must not mistake one for the other. Without a session it runs, and
/// <c>GetGridSession()</c> is null; if the request's access token has expired, the answer is "try refresh token", if its session has ended,
/// "unauthorised". For minimal APIs there is <c>WithOptionalGridSession()</c>.
/// </summary>
/// <remarks>
/// It takes no requirement away: an endpoint with <c>RequireAuthorization()</c> refuses strangers all the same. Endpoints without either
/// are never refused; there <c>GetGridSession()</c> is null for an expired token too.
/// </remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class OptionalGridSessionAttribute : Attribute;
