using Grid.AspNetCore.Claims;

namespace Grid.Samples.MinimalApi;

/// <summary>What this application knows of its users.</summary>
public static class Shop
{
    public static BooleanClaim EmailVerified { get; } = new("email-verified");
}
