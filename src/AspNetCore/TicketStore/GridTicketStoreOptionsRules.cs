using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.TicketStore;

/// <summary>Refuses what cannot work.</summary>
internal sealed class GridTicketStoreOptionsRules : IValidateOptions<GridTicketStoreOptions>
{
    private static readonly TimeSpan OldestTicket = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, GridTicketStoreOptions options)
    {
        string[] problems = [.. Problems(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static IEnumerable<string> Problems(GridTicketStoreOptions options)
    {
        if (string.IsNullOrEmpty(options.UserIdClaimType))
        {
            yield return "UserIdClaimType is the type of the claim that is the user id, such as ClaimTypes.NameIdentifier; it is empty.";
        }

        if (string.IsNullOrEmpty(options.TenantId))
        {
            yield return "TenantId is a tenant's id; it is empty. Leave it out for the tenant 'public'.";
        }

        if (options.ReadAgainAfter < TimeSpan.Zero || options.ReadAgainAfter > OldestTicket)
        {
            yield return $"ReadAgainAfter is at least zero and at most one hour; {options.ReadAgainAfter} is not.";
        }

        if (options.MemoryLimit < 0)
        {
            yield return $"MemoryLimit is a number of bytes, or 0 to keep no ticket in memory; {options.MemoryLimit} is not.";
        }
    }
}
