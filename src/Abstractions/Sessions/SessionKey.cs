using Grid.Abstractions.Apps;

namespace Grid.Abstractions.Sessions;

/// <summary>Names a session across the installation. Text form and grain key: <c>app/handle</c>.</summary>
[GenerateSerializer, Immutable, Alias("grid.session-key")]
public readonly record struct SessionKey([property: Id(0)] AppKey App, [property: Id(1)] SessionHandle Handle)
{
    /// <summary>Reads the text form back.</summary>
    public static SessionKey Parse(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && SessionHandle.TryParse(text[(slash + 1)..], out var handle)
            ? new SessionKey(AppKey.Parse(text[..slash]), handle)
            : throw new FormatException("A session key is 'app/handle'.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{App}/{Handle}";
}
