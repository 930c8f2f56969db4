namespace Grid.Abstractions.Apps;

/// <summary>Identifies an app: the connection URI domain that it was created in (empty for the default) and its id.</summary>
/// <remarks>Text form, also used as grain key and in the store: <c>app</c>, or <c>app@domain</c>.</remarks>
[GenerateSerializer, Immutable, Alias("grid.app-key")]
public readonly record struct AppKey([property: Id(0)] string Domain, [property: Id(1)] string AppId)
{
    /// <summary>The id of the app that always exists in each domain.</summary>
    public const string PublicId = "public";

    /// <summary>The app of requests without an app id.</summary>
    public static AppKey Public { get; } = new("", PublicId);

    /// <summary>Parses the text form.</summary>
    public static AppKey Parse(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at < 0 ? new AppKey("", text == PublicId ? PublicId : text) : new AppKey(text[(at + 1)..], text[..at]);
    }

    /// <inheritdoc/>
    public override string ToString() => Domain is "" or null ? AppId : $"{AppId}@{Domain}";
}
