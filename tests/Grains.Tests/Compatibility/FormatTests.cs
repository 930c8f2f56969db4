using System.Buffers.Text;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Revocation.Relay.Wire;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Grid.Tokens.SigningKeys;
using Grid.Tokens.Tickets;

namespace Grid.Grains.Tests.Compatibility;

/// <summary>What clients and services hold, and what is sealed in the database, is read as long as it may be there: a refresh token for its session's life.</summary>
public sealed class FormatTests
{
    private const string App = "shop";
    private const string Kid = "d-2026";
    private const int Kind = 1;

    private static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly RefreshMacKey Mac = new("m-1", Secret);
    private static readonly DateTimeOffset Year2100 = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static TheoryData<string> MessageTypes =>
        [.. typeof(HolderMessageType).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Select(type => (string)type.GetRawConstantValue()!)];

    [Theory]
    [InlineData("first", null, null)]
    [InlineData("later", "an anti-CSRF token", "parent")]
    public void Refresh_tokens_of_every_format_are_read(string name, string? antiCsrf, string? parent)
    {
        var content = new RefreshTokenContent(App, "8f0c6d2e-0000-4000-8000-000000000001_tenant", parent is null ? null : TokenHash.Of(parent), antiCsrf);
        var values = new JsonObject { ["app"] = content.App, ["handle"] = content.SessionHandle, ["antiCsrf"] = antiCsrf, ["parent"] = content.ParentHash1?.ToString() };

        ReadAll($"format.refresh-token-{name}", () => Encoding.ASCII.GetBytes(RefreshTokenCodec.Mint(content, Mac)), FirstOfText, values, bytes =>
            RefreshTokenCodec.TryRead(Encoding.ASCII.GetString(bytes), Mac, out var read)
                ? new JsonObject { ["app"] = read.App, ["handle"] = read.SessionHandle, ["antiCsrf"] = read.AntiCsrfToken, ["parent"] = read.ParentHash1?.ToString() } : null);
    }

    [Fact]
    public void Tickets_of_every_format_are_opened_and_what_a_later_one_adds_is_passed_over()
    {
        var ticket = new SignInTicket
        {
            App = App,
            SessionHandle = "8f0c6d2e-0000-4000-8000-000000000001",
            UserId = "ü",
            PayloadJson = """{"a":1}""",
            DataJson = "{}",
            UseDynamicKey = true,
            ExpiresAt = Year2100,
        };

        ReadAll("format.ticket", () => Encoding.ASCII.GetBytes(SignInTicketCodec.Seal(ticket, Mac)!), FirstOfText, JsonSerializer.SerializeToNode(ticket)!, bytes =>
            SignInTicketCodec.TryOpen(Encoding.ASCII.GetString(bytes), Mac, Year2100.AddDays(-1), out var read) ? JsonSerializer.SerializeToNode(read) : null);
        Assert.Equal(ticket, JsonSerializer.Deserialize<SignInTicket>(JsonSerializer.Serialize(ticket)[..^1] + ""","Later":{"x":[1]}}"""));
    }

    [Fact]
    public void Keys_and_marks_sealed_in_every_format_are_opened()
    {
        var protector = new KeyProtector(Secret);

        ReadAll("format.sealed-key", () => protector.Seal(App, Kid, Kind, "a private key"u8), First, JsonValue.Create("a private key"), box => JsonValue.Create(Encoding.UTF8.GetString(protector.Open(App, Kid, Kind, box))));
        ReadAll("format.canary", protector.SealCanary, First, JsonValue.Create(protector.KeyId), canary => protector.OpensCanary(canary) ? JsonValue.Create(KeyProtector.KeyIdOf(canary)) : null);
    }

    [Theory, MemberData(nameof(MessageTypes))]
    public void Messages_between_services_and_silos_are_read_as_they_were_and_with_what_a_later_version_adds(string type)
    {
        var entry = new HolderEntry { Position = 7, Kind = Revocation.Log.RevocationKind.User, App = App, Tenant = "t", Id = Guid.Empty, UserId = "ü", Epoch = 3, KeptId = Guid.Empty, Kid = Kid };
        var message = new HolderMessage
        {
            Type = type,
            N = 5,
            Incarnation = Guid.Empty,
            Former = Guid.Empty,
            Secret = "s",
            Name = "n",
            App = App,
            LeaseMs = 10_000,
            Bounded = true,
            RevokedKeys = [Kid],
            Entries = [entry],
            Tenant = "t",
            Id = Guid.Empty,
            UserId = "ü",
            Epoch = 3,
            ExpiresAt = Year2100,
            Reason = "r",
        };
        byte[] Write(HolderMessage one) => JsonSerializer.SerializeToUtf8Bytes(one, HolderJson.Default.HolderMessage);
        var values = JsonNode.Parse(Write(message))!;

        // Another form is another set of members: the services of one version are connected to silos of the other.
        ReadAll($"holder.{type}", () => Write(message), bytes => string.Join(',', JsonNode.Parse(bytes)!.AsObject().Select(member => member.Key)), values, bytes =>
        {
            var read = HolderJson.Read(bytes);
            return read.IsMalformed ? null : JsonNode.Parse(Write(read));
        });
        var later = JsonNode.Parse(Write(message))!.AsObject();
        (later["later"], later["entries"]![0]!["later"], later["entries"]![0]!["kind"]) = (new JsonObject { ["x"] = 1 }, "x", 99);
        var passedOver = HolderJson.Read(Encoding.UTF8.GetBytes(later.ToJsonString()));
        Assert.False(passedOver.IsMalformed);
        Assert.Equal((message.N, 99), (passedOver.N, (int)passedOver.Entries![0].ToEntry().Kind));
    }

    private static string First(byte[] bytes) => $"{bytes[0]}";

    private static string FirstOfText(byte[] text) => $"{Base64Url.DecodeFromUtf8(text)[0]}";

    private static void ReadAll(string name, Func<byte[]> write, Func<byte[], string> form, JsonNode values, Func<byte[], JsonNode?> read)
    {
        var file = new GoldenFile(name);
        var now = write();
        var entries = file.ReadOrRecord(() => new GoldenEntry(now, values), last => form(last.Bytes) == form(now));

        Assert.True(entries.Count > 0, $"What {name} looks like has not been recorded. {GoldenFile.HowToRecord}");
        Assert.All([.. entries, new GoldenEntry(now, values)], entry => Assert.True(JsonNode.DeepEquals(entry.Values, read(entry.Bytes)), $"{name}: {entry.Values} is read as {read(entry.Bytes)}."));
        Assert.True(form(entries[^1].Bytes) == form(now), $"{name} is written in a form that was not recorded. {GoldenFile.HowToRecord}");
    }
}
