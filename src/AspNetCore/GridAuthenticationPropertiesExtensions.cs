namespace Microsoft.AspNetCore.Authentication;

/// <summary>What <c>AddGridTicketStore()</c> adds to the properties of an authenticated request.</summary>
public static class GridAuthenticationPropertiesExtensions
{
    private const string HandleKey = ".grid.session-handle";

    /// <summary>The handle of the session that holds the ticket; null if there is none. It is not stored with the properties.</summary>
    public static string? GetGridSessionHandle(this AuthenticationProperties properties)
    {
        ArgumentNullException.ThrowIfNull(properties);
        return properties.GetParameter<string>(HandleKey);
    }

    internal static void SetGridSessionHandle(this AuthenticationProperties properties, string handle) => properties.SetParameter(HandleKey, handle);
}
