using System.Collections.Immutable;
using Grid.Revocation.Log;

namespace Grid.Abstractions.Apps;

/// <summary>Configuration of a tenant, or of the public tenant of an app or domain.</summary>
[GenerateSerializer, Immutable, Alias("grid.tenant-config")]
public sealed record TenantConfig
{
    [Id(0)] public required string TenantId { get; init; }

    /// <summary>Null = all login methods allowed; empty = none.</summary>
    [Id(1)] public ImmutableArray<string>? FirstFactors { get; init; }

    /// <summary>Null = none required.</summary>
    [Id(2)] public ImmutableArray<string>? RequiredSecondaryFactors { get; init; }

    /// <summary>The tenant's own core config as one JSON object, secrets left out.</summary>
    [Id(3)] public string CoreConfigJson { get; init; } = "{}";

    /// <summary>Login-method switches of the older paths; <see cref="FirstFactors"/> chooses among those that are on.</summary>
    [Id(4)] public bool EmailPasswordEnabled { get; init; }

    [Id(5)] public bool ThirdPartyEnabled { get; init; }

    [Id(6)] public bool PasswordlessEnabled { get; init; }

    /// <summary>Third-party provider configs as one JSON array, kept for the SDKs that store them here.</summary>
    [Id(7)] public string ThirdPartyProvidersJson { get; init; } = "[]";
}

/// <summary>Creates or updates a tenant. Null members are left unchanged; the <c>Set…</c> flags distinguish "set to null" from "not given".</summary>
[GenerateSerializer, Immutable, Alias("grid.tenant-change")]
public sealed record TenantChange
{
    [Id(0)] public bool SetFirstFactors { get; init; }

    [Id(1)] public ImmutableArray<string>? FirstFactors { get; init; }

    [Id(2)] public bool SetRequiredSecondaryFactors { get; init; }

    [Id(3)] public ImmutableArray<string>? RequiredSecondaryFactors { get; init; }

    [Id(4)] public bool? EmailPasswordEnabled { get; init; }

    [Id(5)] public bool? ThirdPartyEnabled { get; init; }

    [Id(6)] public bool? PasswordlessEnabled { get; init; }

    /// <summary>JSON object merged into the core config, null values delete keys; null = no change.</summary>
    [Id(7)] public string? CoreConfigPatchJson { get; init; }

    /// <summary>Whether a new tenant starts without first factors, as on the newer path; apps start with all.</summary>
    [Id(8)] public bool NewStartsWithNoFirstFactor { get; init; }

    /// <summary>Whether it came by the older path: a new tenant starts with all switches off, and factors must belong to methods that are on.</summary>
    [Id(9)] public bool IsOfOlderShape { get; init; }
}

/// <summary>Answer to a create-or-update.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Error">With <c>InvalidConfig</c>: why.</param>
/// <param name="Ended">What a new tenant ended of a former one of its name; <see cref="ITenancy"/> has it confirmed.</param>
[GenerateSerializer, Immutable, Alias("grid.put-result")]
public sealed record PutResult(
    [property: Id(0)] PutOutcome Outcome,
    [property: Id(1)] string? Error = null,
    [property: Id(2)] ImmutableArray<RevocationEntry> Ended = default);

/// <summary>Outcomes of creating or updating an app, tenant or domain.</summary>
public enum PutOutcome
{
    Updated = 0,
    Created = 1,

    /// <summary>Core config refused; <see cref="PutResult.Error"/> says why.</summary>
    InvalidConfig = 2,

    /// <summary>Its app or domain does not exist.</summary>
    ParentNotFound = 3,

    /// <summary>The store is unavailable; nothing is known to have changed.</summary>
    Unavailable = 4,

    /// <summary>An earlier one of that name is being removed; <see cref="ITenancy"/> finishes that first.</summary>
    Removing = 5,
}

/// <summary>Outcomes of removing an app, tenant or domain. Its sessions are revoked in the same call.</summary>
public enum RemoveOutcome
{
    Removed = 0,
    NotFound = 1,

    /// <summary>It still has tenants (an app) or apps (a domain) other than <c>public</c>.</summary>
    NotEmpty = 2,

    Unavailable = 3,

    /// <summary>No silo knows it now; the revocation of its sessions is not confirmed yet.</summary>
    Removing = 4,
}
