using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Core;

/// <summary>Routes of SuperTokens' core that Grid does not serve: an SDK prints the body of a 404, so it says why.</summary>
internal static class OtherRecipes
{
    private static readonly (string Beginning, string Recipe)[] Routes =
    [
        ("/recipe/user/password", "the EmailPassword recipe"),
        ("/recipe/user/passwordhash", "the EmailPassword recipe"),
        ("/recipe/user/email", "the EmailVerification recipe"),
        ("/recipe/user/metadata", "the UserMetadata recipe"),
        ("/recipe/user/role", "the UserRoles recipe"),
        ("/recipe/user/roles", "the UserRoles recipe"),
        ("/recipe/role", "the UserRoles recipe"),
        ("/recipe/roles", "the UserRoles recipe"),
        ("/recipe/permission", "the UserRoles recipe"),
        ("/recipe/signin", "the EmailPassword recipe"),
        ("/recipe/signup", "the EmailPassword recipe"),
        ("/recipe/signinup/code", "the Passwordless recipe"),
        ("/recipe/signinup/codes", "the Passwordless recipe"),
        ("/recipe/signinup", "the ThirdParty recipe"),
        ("/recipe/user", "the recipes for signing in"),
        ("/recipe/users", "the recipes for signing in"),
        ("/recipe/totp", "the TOTP recipe"),
        ("/recipe/mfa", "the MultiFactorAuth recipe"),
        ("/recipe/webauthn", "the WebAuthn recipe"),
        ("/recipe/saml", "the SAML recipe"),
        ("/recipe/accountlinking", "the AccountLinking recipe"),
        ("/recipe/dashboard", "the Dashboard recipe"),
        ("/recipe/oauth", "the OAuth2Provider recipe"),
        ("/recipe/userid", "the UserIdMapping recipe"),
        ("/bulk-import", "the bulk import of users"),
        ("/user/search", "the search for users"),
        ("/requests/stats", "statistics of requests"),
    ];

    /// <summary>The recipe that an unknown route belongs to; null if SuperTokens' core does not have it either.</summary>
    /// <param name="method">Matters only for paths that are served in part.</param>
    /// <param name="path">Without app and tenant.</param>
    public static string? Find(string method, string path)
    {
        path = path.TrimEnd('/');
        if (IsServed(method, path))
        {
            return null;
        }

        // Longest prefix first: the first match wins.
        return Array.Find(Routes, route => IsAtOrBelow(path, route.Beginning)).Recipe;
    }

    /// <summary>The body of the 404.</summary>
    public static string Explain(string recipe) =>
        $"Not found: this core is Grid, which serves sessions, JWTs and multi-tenancy, but not {recipe}. "
        + "Take that out of the SDK's recipe list, or send its requests to a core that serves it";

    // These recipes are served in part: whether a user id is mapped is answered, creating a mapping is not supported.
    private static bool IsServed(string method, string path) =>
        path.Equals("/recipe/dashboard/tenant/core-config", StringComparison.OrdinalIgnoreCase)
        || (path.Equals("/recipe/userid/map", StringComparison.OrdinalIgnoreCase) && !HttpMethods.IsPost(method));

    private static bool IsAtOrBelow(string path, string beginning) =>
        path.StartsWith(beginning, StringComparison.OrdinalIgnoreCase)
        && (path.Length == beginning.Length || path[beginning.Length] == '/');
}
