namespace Grid.Abstractions.Apps;

/// <summary>Identifies a tenant of an app. Text form and grain key: <c>app/tenant</c>.</summary>
[GenerateSerializer, Immutable, Alias("grid.tenant-key")]
public readonly record struct TenantKey([property: Id(0)] AppKey App, [property: Id(1)] string TenantId)
{
    /// <summary>The tenant that every app has and that cannot be removed on its own.</summary>
    public const string PublicId = "public";

    /// <summary>Parses the text form.</summary>
    public static TenantKey Parse(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0
            ? throw new FormatException("A tenant key is 'app/tenant'.")
            : new TenantKey(AppKey.Parse(text[..slash]), text[(slash + 1)..]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{App}/{TenantId}";
}
