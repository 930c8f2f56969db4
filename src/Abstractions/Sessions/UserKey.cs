using Grid.Abstractions.Apps;

namespace Grid.Abstractions.Sessions;

/// <summary>Identifies a user within a tenant. Text form and grain key: <c>app/tenant/user</c>; the user id may hold any character.</summary>
[GenerateSerializer, Immutable, Alias("grid.user-key")]
public readonly record struct UserKey([property: Id(0)] TenantKey Tenant, [property: Id(1)] string UserId)
{
    /// <summary>Parses the text form.</summary>
    public static UserKey Parse(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var app = text.IndexOf('/', StringComparison.Ordinal);
        var tenant = text.IndexOf('/', app + 1);
        return app < 0 || tenant < 0
            ? throw new FormatException("A user key is 'app/tenant/user'.")
            : new UserKey(TenantKey.Parse(text[..tenant]), text[(tenant + 1)..]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Tenant}/{UserId}";
}
