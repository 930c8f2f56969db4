using System.Collections.Immutable;

namespace Grid.Abstractions.SigningKeys;

/// <summary>Creates and rotates an app's keys. Key: <see cref="Apps.AppKey"/> text.</summary>
[Alias("grid.signing-keys")]
public interface ISigningKeysGrain : IGrainWithStringKey
{
    /// <summary>The keys, after creating and retiring what is due. Private parts are encrypted.</summary>
    /// <returns>Null if the store is unavailable.</returns>
    [Alias("get")]
    Task<KeySet?> GetAsync(TimeSpan updateInterval, TimeSpan accessTokenValidity, CancellationToken cancellationToken);

    /// <summary>Creates a new dynamic key now; it signs once every silo has had time to learn of it.</summary>
    [Alias("rotate")]
    Task<KeySet?> RotateAsync(TimeSpan updateInterval, TimeSpan accessTokenValidity, CancellationToken cancellationToken);

    /// <summary>Removes a signing key and creates its replacement, which signs at once.</summary>
    /// <returns>Null if the store is unavailable.</returns>
    [Alias("replace")]
    Task<KeySet?> ReplaceAsync(string kid, TimeSpan updateInterval, TimeSpan accessTokenValidity, CancellationToken cancellationToken);

    /// <summary>Removes all keys: nothing that they signed is accepted again.</summary>
    /// <returns>False if the store is unavailable.</returns>
    [Alias("remove")]
    Task<bool> RemoveAsync(CancellationToken cancellationToken);
}

/// <summary>All keys of an app.</summary>
[GenerateSerializer, Immutable, Alias("grid.key-set")]
public sealed record KeySet
{
    [Id(0)] public required ImmutableArray<StoredKey> Keys { get; init; }

    /// <summary>When to read again: the next key will have been published by then.</summary>
    [Id(1)] public required DateTimeOffset NextChangeAt { get; init; }
}

/// <summary>One key, its secret part encrypted with the installation's key.</summary>
[GenerateSerializer, Immutable, Alias("grid.stored-key")]
public sealed record StoredKey
{
    /// <summary><c>d-…</c> dynamic, <c>s-…</c> static, <c>m-…</c> MAC of refresh tokens, <c>r-…</c> imported key of refresh tokens. Imported keys keep their ids.</summary>
    [Id(0)] public required string Kid { get; init; }

    [Id(1)] public required KeyKind Kind { get; init; }

    /// <summary>When it starts to sign, until a later key does. It is published earlier.</summary>
    [Id(2)] public required DateTimeOffset SignsFrom { get; init; }

    /// <summary>When it stops verifying and may be removed; null: never.</summary>
    [Id(3)] public required DateTimeOffset? VerifiesUntil { get; init; }

    /// <summary>AES-256-GCM box, bound to app, kid and kind; made and opened by <c>Grid.Tokens.SigningKeys.KeyProtector</c>.</summary>
    [Id(4)] public required byte[] Secret { get; init; }
}

/// <summary>What a key is for; one key, one purpose.</summary>
public enum KeyKind
{
    Unknown = 0,

    /// <summary>RSA 2048, signs access tokens, rotates.</summary>
    Dynamic = 1,

    /// <summary>RSA 2048, signs access tokens and JWTs whose verifiers pin one key.</summary>
    Static = 2,

    /// <summary>256-bit secret that authenticates refresh tokens.</summary>
    RefreshMac = 3,

    /// <summary>The secret by which refresh tokens are opened that came with imported sessions; UTF-8 text. Versions before it skip it.</summary>
    ImportedRefresh = 4,
}
