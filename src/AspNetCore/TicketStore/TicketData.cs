using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;

namespace Grid.AspNetCore.TicketStore;

/// <summary>A ticket in a session's data: one member, protected. The others are left as they are.</summary>
/// <param name="protector">Of the scheme.</param>
internal sealed class TicketData(IDataProtector protector)
{
    /// <summary>Longest ticket, protected and in base64: a request to the core API has a megabyte, in which other data may be too.</summary>
    public const int MaxLength = 1_000_000;

    private const string Member = "authenticationTicket";

    // The end of a protected text is its MAC, and no two texts have the same.
    private const int VersionLength = 32;

    /// <summary>Protects a ticket for the session's owner: in another user's session it cannot be opened, whoever put it there.</summary>
    /// <exception cref="InvalidOperationException">It is too large.</exception>
    public string Seal(AuthenticationTicket ticket, TicketOwner owner)
    {
        var text = Base64Url.EncodeToString(For(owner).Protect(TicketSerializer.Default.Serialize(ticket)));
        return text.Length <= MaxLength
            ? text
            : throw new InvalidOperationException(
                $"The authentication ticket would take {text.Length} characters in the session's data, which hold {MaxLength}: put less into the principal's claims and the ticket's properties. Nothing was changed.");
    }

    /// <returns>Null if it is none, or was protected by a key that is not there, for another scheme or for another user.</returns>
    public AuthenticationTicket? Open(string text, TicketOwner owner)
    {
        try
        {
            return TicketSerializer.Default.Deserialize(For(owner).Unprotect(Base64Url.DecodeFromChars(text)));
        }
        catch (Exception failure) when (failure is CryptographicException or FormatException or IOException)
        {
            return null;
        }
    }

    /// <summary>The protected ticket in a session's data; null if there is none.</summary>
    public static string? Find(string dataJson)
    {
        using var data = JsonDocument.Parse(dataJson);
        return data.RootElement.ValueKind == JsonValueKind.Object && data.RootElement.TryGetProperty(Member, out var ticket) && ticket.ValueKind == JsonValueKind.String
            ? ticket.GetString()
            : null;
    }

    /// <summary>The data with this ticket.</summary>
    public static string Put(string dataJson, string ticket)
    {
        var data = JsonNode.Parse(dataJson) as JsonObject ?? [];
        data[Member] = ticket;
        return data.ToJsonString();
    }

    public static string Version(string text) => text.Length <= VersionLength ? text : text[^VersionLength..];

    private IDataProtector For(TicketOwner owner) => protector.CreateProtector(owner.TenantId, owner.UserId);
}
