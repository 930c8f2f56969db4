using System.Diagnostics.CodeAnalysis;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay.Wire;

namespace Grid.WebFront.Core.Revocation;

/// <summary>Validates what services send before it is used: the registry and grouped reads are shared with other apps.</summary>
internal static class ServiceMessages
{
    /// <summary>Maximum size of a message from a service, in bytes.</summary>
    public const int MaxBytes = 16 * 1024;

    private const int MaxTenant = 64;
    private const int MaxName = 100;

    // JSON numbers are exact up to here in every language.
    private const long MaxNumber = (1L << 53) - 1;

    /// <summary>Why a registration is invalid; null if it is valid.</summary>
    public static string? Refuse(HolderMessage hello) => hello switch
    {
        { IsMalformed: true } => "register: a member has the wrong type, or occurs twice",
        { Type: not HolderMessageType.Register } => "register first",
        { N: < 0 or > MaxNumber } => NumberText,
        { Incarnation: null } => "register: incarnation must be a random UUID",
        { Incarnation: var own } when own == Guid.Empty => "register: incarnation must be a random UUID",
        { Name: { } name } when name.Contains('\0') || !IsText(name) => "register: name must be text without U+0000",
        { Secret.Length: > HolderSecret.MaxLength } => "register: secret must be the one that came with former",
        { Protocol: { } protocol } when !HolderProtocol.WorksWith(protocol) => HolderProtocol.Refusal(protocol),
        _ => null,
    };

    /// <summary>Why any other message is invalid; null if it is valid.</summary>
    public static string? RefuseLater(HolderMessage message) => message switch
    {
        { IsMalformed: true } => "a member has the wrong type, or occurs twice",
        { Type: HolderMessageType.Renew, N: < 1 } => "renew: n must be at least 1",
        { N: < 0 or > MaxNumber } => NumberText,
        { Type: HolderMessageType.Look, Id: null } => "look: session must be the UUID of a handle",
        { Type: HolderMessageType.Look, Tenant: var tenant } when tenant is not { Length: > 0 and <= MaxTenant } || !CorePath.IsId(tenant) || tenant.AsSpan().ContainsAnyInRange('A', 'Z') =>
            "look: tenant must be a tenant's id: lower-case letters, digits and hyphens",
        { Type: HolderMessageType.Register } => "register: this connection is registered already",
        _ => null,
    };

    /// <summary>Whether a message is a valid look-up, and of which session.</summary>
    public static bool IsLook(HolderMessage message, string app, [NotNullWhen(true)] out SessionName? name)
    {
        name = message.Type == HolderMessageType.Look ? message.SessionOf(app) : null;
        return name is not null;
    }

    /// <summary>The name as it is stored: truncated to a readable length, between characters.</summary>
    public static string Name(HolderMessage hello)
    {
        var name = hello.Name ?? "";
        var length = Math.Min(name.Length, MaxName);
        return name[..(length < name.Length && char.IsHighSurrogate(name[length - 1]) ? length - 1 : length)];
    }

    private static string NumberText => $"n must lie between 0 and {MaxNumber}";

    private static bool IsText(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (!char.IsHighSurrogate(text[i]) || ++i == text.Length || !char.IsLowSurrogate(text[i])))
            {
                return false;
            }
        }

        return true;
    }
}
