using System.Collections.Immutable;
using Grid.Abstractions.SigningKeys;

namespace Grid.Grains.SigningKeys;

/// <summary>When dynamic keys come and go. Pure.</summary>
/// <remarks>
/// A key is published some time before it signs, so that every silo and every client that caches the JWKS has it by then,
/// and kept for two token lives after the next one took over.
/// </remarks>
internal readonly struct KeyRotationPlan(TimeSpan updateInterval, TimeSpan accessTokenValidity)
{
    /// <summary>How many dynamic keys an app has at most, including those that only verify. Every client holds all of them; none is dropped while tokens that it signed live.</summary>
    public const int MaxDynamicKeys = 64;

    private static readonly TimeSpan FullLead = TimeSpan.FromSeconds(90);

    /// <summary>How long before its first use a key is published; less only where keys live for minutes, as in tests.</summary>
    private TimeSpan Lead => updateInterval / 4 < FullLead ? updateInterval / 4 : FullLead;

    /// <summary>How old a silo's copy may be for the lead to mean something.</summary>
    public TimeSpan PollInterval => Lead / 3;

    /// <summary>Leaves out keys that no valid token can need.</summary>
    public static ImmutableArray<StoredKey> Retire(ImmutableArray<StoredKey> keys, DateTimeOffset now) =>
        keys.RemoveAll(k => k.VerifiesUntil <= now);

    /// <summary>Whether the next dynamic key must be published now.</summary>
    public bool IsNextDue(ImmutableArray<StoredKey> keys, DateTimeOffset now) => NextChangeAt(keys) <= now;

    /// <summary>When a new key starts to sign: at once if it is the first, otherwise when every reader knows it and its predecessor has had its time.</summary>
    public DateTimeOffset NextSignsFrom(ImmutableArray<StoredKey> keys, DateTimeOffset now) =>
        Latest(keys) is null ? now : now + Lead;

    /// <summary>Whether another dynamic key may come before one has retired. The first one always may.</summary>
    public static bool HasRoom(ImmutableArray<StoredKey> keys) => Latest(keys) is null || keys.Count(k => k.Kind == KeyKind.Dynamic) < MaxDynamicKeys;

    /// <summary>When the next dynamic key will be published.</summary>
    public DateTimeOffset NextChangeAt(ImmutableArray<StoredKey> keys)
    {
        if (Latest(keys) is not { } latest)
        {
            return DateTimeOffset.MinValue;
        }

        var due = latest.SignsFrom + updateInterval - Lead;
        return HasRoom(keys) || keys.Where(k => k.Kind == KeyKind.Dynamic).Min(k => k.VerifiesUntil) is not { } room || room < due ? due : room;
    }

    /// <summary>Adds the next dynamic key and sets the end of those before it.</summary>
    public ImmutableArray<StoredKey> Follow(ImmutableArray<StoredKey> keys, StoredKey next)
    {
        var end = next.SignsFrom + (2 * accessTokenValidity);
        return [.. keys.Select(k => k is { Kind: KeyKind.Dynamic, VerifiesUntil: null } ? k with { VerifiesUntil = end } : k), next];
    }

    /// <summary>Leaves out a signing key that may be in the wrong hands. If it was the one that signs, its announced successor goes too, so that the next signs at once.</summary>
    public static ImmutableArray<StoredKey> Without(ImmutableArray<StoredKey> keys, string kid, DateTimeOffset now)
    {
        var signing = keys.Where(k => k.Kind == KeyKind.Dynamic && k.SignsFrom <= now).MaxBy(k => k.SignsFrom);
        return signing?.Kid == kid
            ? keys.RemoveAll(k => k.Kind == KeyKind.Dynamic && k.SignsFrom >= signing.SignsFrom)
            : keys.RemoveAll(k => k.Kid == kid && k.Kind != KeyKind.RefreshMac);
    }

    // One whose end is set has been replaced: its time to sign is over, or will be.
    private static StoredKey? Latest(ImmutableArray<StoredKey> keys) =>
        keys.Where(k => k is { Kind: KeyKind.Dynamic, VerifiesUntil: null }).MaxBy(k => k.SignsFrom);
}
