using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Abstractions.Apps;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Upstream;

/// <summary>The public keys by which the core behind Grid signs what is not a session: OAuth tokens, and JWTs from before Grid stood in front of it.</summary>
internal sealed class UpstreamKeys(UpstreamClient client, TimeProvider clock)
{
    /// <summary>How long a set may be used, by Grid and by clients.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(1);

    // A core that is away must not make each client wait.
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private const int MaxApps = 1024;
    private const int MaxKeys = 256;

    // What a published key may say (RFC 7517 and 7518); a private part is never handed on.
    private static readonly HashSet<string> Public = new(["kty", "kid", "use", "alg", "key_ops", "n", "e", "crv", "x", "y", "x5c", "x5t", "x5t#S256"], StringComparer.Ordinal);

    private readonly SharedCache<int, Entry> _sets = new(maxOfApp: 1, MaxApps);

    /// <summary>Grid's key set with the other core's behind it; where both have a key of one id, Grid's.</summary>
    /// <param name="context">The request, for its app.</param>
    /// <param name="own">Grid's key set.</param>
    public async Task<ReadOnlyMemory<byte>> MergeAsync(HttpContext context, ReadOnlyMemory<byte> own)
    {
        var others = await FindAsync(CoreRequest.Of(context));
        if (others.Count == 0)
        {
            return own;
        }

        var merged = JsonNode.Parse(own.Span)!.AsObject();
        var keys = merged["keys"]!.AsArray();
        var ids = keys.Select(key => UpstreamAnswer.Text(key!["kid"])).ToHashSet();
        foreach (var key in others.Where(key => ids.Add(UpstreamAnswer.Text(key["kid"]))))
        {
            keys.Add(key.DeepClone());
        }

        return JsonSerializer.SerializeToUtf8Bytes(merged);
    }

    private async Task<IReadOnlyList<JsonObject>> FindAsync(CoreRequest request)
    {
        var app = request.App.App;
        Entry entry;
        lock (_sets)
        {
            if (!_sets.TryGet(app, 0, out entry!) || (entry.Asking.IsCompleted && clock.GetElapsedTime(entry.AskedAt) >= entry.GoodFor))
            {
                // One request for all who wait; until it is answered and if it fails, the set from before.
                entry = new Entry(clock.GetTimestamp(), entry?.Keys ?? []);
                entry.Asking = AskAsync(entry, app);
                _sets.Set(app, 0, entry);
            }
        }

        await entry.Asking;
        return entry.Keys;
    }

    private async Task AskAsync(Entry entry, AppKey app)
    {
        var target = (app.AppId == AppKey.PublicId ? "" : $"/appid-{app.AppId}") + "/.well-known/jwks.json";
        var answer = await client.AskAsync("GET", target, version: null, app.Domain.Length > 0 ? app.Domain : null, body: null, Patience, CancellationToken.None);
        if (answer.Json()?["keys"] is JsonArray keys)
        {
            entry.Keys = [.. keys.OfType<JsonObject>().Where(key => UpstreamAnswer.Text(key["kid"]) is not null && UpstreamAnswer.Text(key["kty"]) is not null and not "oct").Take(MaxKeys).Select(Publish)];
            entry.GoodFor = FreshFor;
        }
    }

    private static JsonObject Publish(JsonObject key) => new(key.Where(member => Public.Contains(member.Key)).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));

    private sealed class Entry(long askedAt, IReadOnlyList<JsonObject> keys)
    {
        public long AskedAt => askedAt;

        public IReadOnlyList<JsonObject> Keys { get; set; } = keys;

        public TimeSpan GoodFor { get; set; } = PauseAfterFailure;

        public Task Asking { get; set; } = Task.CompletedTask;
    }
}
