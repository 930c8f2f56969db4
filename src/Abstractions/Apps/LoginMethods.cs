using System.Collections.Immutable;

namespace Grid.Abstractions.Apps;

/// <summary>The login methods that the older tenant paths switch, and the factors of each, which the newer ones list.</summary>
public static class LoginMethods
{
    /// <summary>Factors of <c>emailPassword</c>.</summary>
    public static ImmutableArray<string> EmailPassword { get; } = ["emailpassword"];

    /// <summary>Factors of <c>thirdParty</c>.</summary>
    public static ImmutableArray<string> ThirdParty { get; } = ["thirdparty"];

    /// <summary>Factors of <c>passwordless</c>.</summary>
    public static ImmutableArray<string> Passwordless { get; } = ["otp-email", "otp-phone", "link-email", "link-phone"];

    /// <summary>Why a tenant's factors and switches contradict each other; null if they do not.</summary>
    public static string? Contradiction(TenantConfig tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return Contradiction("firstFactors", tenant.FirstFactors, tenant)
            ?? Contradiction("requiredSecondaryFactors", tenant.RequiredSecondaryFactors, tenant);
    }

    private static string? Contradiction(string member, ImmutableArray<string>? factors, TenantConfig tenant)
    {
        foreach (var factor in factors ?? [])
        {
            var method = !tenant.EmailPasswordEnabled && EmailPassword.Contains(factor) ? "emailPassword"
                : !tenant.ThirdPartyEnabled && ThirdParty.Contains(factor) ? "thirdParty"
                : !tenant.PasswordlessEnabled && Passwordless.Contains(factor) ? "passwordless"
                : null;
            if (method is not null)
            {
                return $"{member} should not contain '{factor}' because {method} is disabled for the tenant.";
            }
        }

        return null;
    }
}
