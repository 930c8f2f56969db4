namespace Microsoft.AspNetCore.Authentication;

/// <summary>What <c>AddGridTicketStore()</c> adds to the properties of an authenticated request.</summary>
public static class GridAuthenticationPropertiesExtensions
{
    private const string HandleKey = ".grid.session-handle";

    /// <summary>Handle of the session in which the ticket is kept; null if it is in none. It is not stored with them.</summary>
    public static string? GetGridSessionHandle(this AuthenticationProperties properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        return properties.GetParameter<string>(HandleKey);
    }

    internal static void SetGridSessionHandle(this AuthenticationProperties properties, string handle) => properties.SetParameter(HandleKey, handle);
}
