using Microsoft.AspNetCore.Authentication;

namespace Grid.AspNetCore.Authentication;

/// <summary>What of a sign-in's properties a session can keep. The rest is refused: elsewhere it has a meaning, which would be lost.</summary>
internal static class SignInProperties
{
    /// <summary>The member of a payload that says that the cookies end with the browser, where <c>IsPersistent</c> is false.</summary>
    public const string UntilClosed = "grid-until-closed";

    /// <summary>That member as it stands in an access token.</summary>
    public static ReadOnlySpan<byte> UntilClosedText => "\"grid-until-closed\":true"u8;

    // What the framework's own handlers note down for themselves.
    private static readonly string[] Notes = [".AuthScheme", ".xsrf", ".sessionState", ".checkSessionIFrame", "OpenIdConnect."];

    // Behind the properties that were looked at.
    private static readonly string[] Known = [".persistent", ".redirect", ".issued", ".expires", ".refresh"];

    /// <exception cref="ArgumentException">One of them cannot be kept; the message has the repair.</exception>
    public static void RefuseWhatCannotBeKept(AuthenticationProperties properties)
    {
        if (properties.ExpiresUtc is not null)
        {
            throw Cannot(nameof(properties.ExpiresUtc), "a session ends when it was not refreshed for Grid:Session:RefreshTokenValidity, and Grid:Session:MaxLifetime after the sign-in; set these for the app, or IsPersistent = false");
        }

        if (properties.IssuedUtc is not null)
        {
            throw Cannot(nameof(properties.IssuedUtc), "a session is issued at its sign-in; leave it out (UseTokenLifetime = false in OpenID Connect)");
        }

        if (properties.AllowRefresh == false)
        {
            throw Cannot(nameof(properties.AllowRefresh), "every session may be refreshed; set Grid:Session:MaxLifetime for one that ends at a fixed time");
        }

        if (properties.RedirectUri is not null)
        {
            throw Cannot(nameof(properties.RedirectUri), "there is no login page to come from; redirect in the endpoint, after the sign-in");
        }

        if (properties.Items.Keys.FirstOrDefault(key => !Known.Contains(key) && !Notes.Any(note => key.StartsWith(note, StringComparison.Ordinal))) is { } item)
        {
            throw Cannot(
                $"{nameof(properties.Items)}[\"{item}\"]",
                $"a session keeps no items{(item.StartsWith(".Token", StringComparison.Ordinal) ? " (SaveTokens = false in the remote scheme)" : "")}; call SignInGridAsync with data for back ends or with a payload, or use AddCookie().AddGridTicketStore()");
        }
    }

    private static ArgumentException Cannot(string property, string repair) =>
        new($"AuthenticationProperties.{property} cannot be kept by a session of Grid: {repair}.");
}
