using Grid.Abstractions.Apps;
using Grid.Revocation.Holders;

namespace Grid.Abstractions.Sessions;

/// <summary>Identifies a session across the installation. Text form and grain key: <c>app/handle</c>.</summary>
[GenerateSerializer, Immutable, Alias("grid.session-key")]
public readonly record struct SessionKey([property: Id(0)] AppKey App, [property: Id(1)] SessionHandle Handle)
{
    /// <summary>Parses the text form.</summary>
    public static SessionKey Parse(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && SessionHandle.TryParse(text[(slash + 1)..], out var handle)
            ? new SessionKey(AppKey.Parse(text[..slash]), handle)
            : throw new FormatException("A session key is 'app/handle'.");
    }

    /// <summary>As it is named where apps are text: in the store, by holders, in the revocation log.</summary>
    public SessionName Name => new(App.ToString(), Handle.TenantId, Handle.Id);

    /// <summary>As named there.</summary>
    public static SessionKey Of(SessionName name) => new(AppKey.Parse(name.App), new SessionHandle(name.Id, name.Tenant));

    /// <summary>Compares ids first: they are random, so text is hardly ever compared in vain.</summary>
    public bool Equals(SessionKey other) => Handle == other.Handle && App == other.App;

    /// <inheritdoc/>
    public override int GetHashCode() => Handle.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"{App}/{Handle}";
}
