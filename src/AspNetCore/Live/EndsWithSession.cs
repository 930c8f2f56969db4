namespace Grid.AspNetCore.Live;

/// <summary>Metadata of endpoints whose connections end with their session.</summary>
internal sealed class EndsWithSession
{
    public static EndsWithSession Instance { get; } = new();

    public override string ToString() => nameof(EndsWithSession);
}
