using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Grid.Client;
using Grid.Revocation.Holders;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore;

/// <summary>The session of a request. Changes to its token reach the browser with the answer, so make them before the answer starts.</summary>
/// <remarks>Methods throw <see cref="GridException"/> if the session has ended meanwhile or Grid does not answer; unhandled, that becomes 401 or 503.</remarks>
public sealed class GridSession
{
    private readonly SessionRequests _requests;
    private readonly HttpContext _context;
    private readonly TokenTransfer _transfer;
    private JsonElement? _payload;
    private SessionWatch? _watch;

    internal GridSession(SessionRequests requests, HttpContext context, TokenTransfer transfer, string accessToken, string handle, string userId, string tenantId, string payloadJson, DateTimeOffset expiresAt)
    {
        (_requests, _context, _transfer) = (requests, context, transfer);
        (AccessToken, Handle, UserId, TenantId, PayloadJson, AccessTokenExpiresAt) = (accessToken, handle, userId, tenantId, payloadJson, expiresAt);
    }

    /// <summary>Public id of the session, not a secret.</summary>
    public string Handle { get; }

    /// <summary>Whose session it is.</summary>
    public string UserId { get; }

    /// <summary>In which tenant.</summary>
    public string TenantId { get; }

    /// <summary>The access token as it is now.</summary>
    [JsonIgnore] // An endpoint that answers with its session would show the token to scripts.
    public string AccessToken { get; private set; }

    /// <summary>When the access token expires; the session lives longer.</summary>
    public DateTimeOffset AccessTokenExpiresAt { get; private set; }

    /// <summary>The user's claims, one JSON object.</summary>
    public string PayloadJson { get; private set; }

    /// <summary>The user's claims.</summary>
    public JsonElement Payload => _payload ??= JsonElement.Parse(PayloadJson);

    /// <summary>
    /// Cancelled when the session ends, wherever that happens: for WebSockets, event streams and other requests that outlive a check.
    /// Not by an outage: nobody is signed out by that.
    /// </summary>
    [JsonIgnore]
    public CancellationToken Ended
    {
        get
        {
            if (_watch is null)
            {
                _watch = _requests.Sessions.Watch(Handle);
                _context.Response.RegisterForDispose(_watch);
            }

            return _watch.Ended;
        }
    }

    /// <summary>Ends the session and tells the browser to forget its tokens. It is over when this returns.</summary>
    /// <exception cref="GridException">Grid does not answer or refuses, or <see cref="GridFailure.StillWaiting"/>: repeat the call.</exception>
    public async Task RevokeAsync(CancellationToken cancellationToken = default)
    {
        await _requests.Sessions.RevokeAsync(Handle, GridRevocationReason.SignedOut, cancellationToken);
        _requests.Transport.Clear(_context, _transfer);
    }

    /// <summary>What is stored of the session: data, creation, expiry.</summary>
    /// <exception cref="GridException">Grid does not answer or refuses, or <see cref="GridFailure.SessionEnded"/>.</exception>
    public async ValueTask<SessionInformation> GetInformationAsync(CancellationToken cancellationToken = default) =>
        await _requests.Sessions.FindAsync(Handle, cancellationToken) ?? throw HasEnded();

    /// <summary>Data that only back ends see.</summary>
    /// <inheritdoc cref="GetInformationAsync" path="/exception"/>
    public async ValueTask<JsonElement> GetDataAsync(CancellationToken cancellationToken = default) =>
        JsonElement.Parse((await GetInformationAsync(cancellationToken)).DataJson);

    /// <summary>Replaces the data that only back ends see.</summary>
    /// <inheritdoc cref="GetInformationAsync" path="/exception"/>
    public async Task UpdateDataAsync(JsonObject data, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (!await _requests.Sessions.UpdateDataAsync(Handle, data.ToJsonString(), cancellationToken))
        {
            throw HasEnded();
        }
    }

    /// <summary>When the session was created.</summary>
    /// <inheritdoc cref="GetInformationAsync" path="/exception"/>
    public async ValueTask<DateTimeOffset> GetCreatedAtAsync(CancellationToken cancellationToken = default) => (await GetInformationAsync(cancellationToken)).CreatedAt;

    /// <summary>When the session expires unless it is refreshed before.</summary>
    /// <inheritdoc cref="GetInformationAsync" path="/exception"/>
    public async ValueTask<DateTimeOffset> GetExpiryAsync(CancellationToken cancellationToken = default) => (await GetInformationAsync(cancellationToken)).ExpiresAt;

    /// <summary>Sets members of the payload; null removes one. The browser gets a new access token.</summary>
    /// <exception cref="ArgumentException">A member belongs to the session service, such as <c>sub</c>.</exception>
    /// <exception cref="GridException">With <see cref="GridFailure.TokenTooLong"/>: the token would not fit into its cookie or header; nothing was stored.</exception>
    public async Task MergeIntoPayloadAsync(JsonObject changes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        if (ProtectedClaims.FindIn(JsonSerializer.SerializeToUtf8Bytes(changes), AccessTokenVersion.V5) is { } name)
        {
            throw new ArgumentException($"The claim '{name}' belongs to the session service.", nameof(changes));
        }

        var payload = JsonNode.Parse(PayloadJson)!.AsObject();
        foreach (var (key, value) in changes)
        {
            if (value is null)
            {
                payload.Remove(key);
            }
            else
            {
                payload[key] = value.DeepClone();
            }
        }

        // Before it is stored: what cannot be answered now cannot be answered by the next refresh either.
        if (AccessTokenVerifier.TryReadUnverified(AccessToken, out var now))
        {
            _requests.RefuseTooLong(_context, _transfer, now with { PayloadJson = payload.ToJsonString() });
        }

        var made = await _requests.Sessions.RegenerateAsync(AccessToken, payload.ToJsonString(), cancellationToken) ?? throw HasEnded();
        (PayloadJson, _payload) = (made.PayloadJson, null);
        if (made.AccessToken is { } token)
        {
            (AccessToken, AccessTokenExpiresAt) = (token.Text, token.ExpiresAt);
            _requests.Transport.SetAccess(_context, _transfer, token, UserId);
        }
    }

    /// <summary>A claim's value; default if it is not there.</summary>
    public T? GetClaim<T>(SessionClaim<T> claim)
    {
        ArgumentNullException.ThrowIfNull(claim);
        return claim.Get(Payload);
    }

    /// <summary>Sets a claim's value.</summary>
    /// <inheritdoc cref="MergeIntoPayloadAsync" path="/exception"/>
    public Task SetClaimAsync<T>(SessionClaim<T> claim, T value, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        return MergeIntoPayloadAsync(new JsonObject { [claim.Key] = SessionClaim.Entry(JsonSerializer.SerializeToNode(value), _requests.Now) }, cancellationToken);
    }

    /// <summary>Fetches a claim's value and sets it; leaves it as it is if there is none.</summary>
    /// <inheritdoc cref="MergeIntoPayloadAsync" path="/exception"/>
    public async Task FetchClaimAsync(SessionClaim claim, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        if (await claim.FetchAsync(new ClaimFetch(UserId, TenantId, Payload, _context.RequestServices), cancellationToken) is { } value)
        {
            await MergeIntoPayloadAsync(new JsonObject { [claim.Key] = SessionClaim.Entry(value, _requests.Now) }, cancellationToken);
        }
    }

    /// <summary>Removes a claim.</summary>
    /// <inheritdoc cref="MergeIntoPayloadAsync" path="/exception"/>
    public Task RemoveClaimAsync(SessionClaim claim, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(claim);
        return MergeIntoPayloadAsync(new JsonObject { [claim.Key] = null }, cancellationToken);
    }

    /// <summary>Checks claims, after fetching those that are missing or too old.</summary>
    /// <exception cref="GridClaimsException">One fails; unhandled, the browser gets 403 with the reasons.</exception>
    public async Task AssertClaimsAsync(IEnumerable<ClaimValidator> validators, CancellationToken cancellationToken = default)
    {
        if (await CheckClaimsAsync([.. validators], cancellationToken) is { Count: > 0 } problems)
        {
            throw new GridClaimsException(problems);
        }
    }

    internal async ValueTask<IReadOnlyList<ClaimProblem>> CheckClaimsAsync(IReadOnlyList<ClaimValidator> validators, CancellationToken cancellationToken)
    {
        JsonObject? fetched = null;
        foreach (var validator in validators)
        {
            if (validator.ClaimToFetch(Payload, _requests.Now) is { } claim && fetched?.ContainsKey(claim.Key) != true
                && await claim.FetchAsync(new ClaimFetch(UserId, TenantId, Payload, _context.RequestServices), cancellationToken) is { } value)
            {
                (fetched ??= [])[claim.Key] = SessionClaim.Entry(value, _requests.Now);
            }
        }

        if (fetched is not null)
        {
            await MergeIntoPayloadAsync(fetched, cancellationToken);
        }

        List<ClaimProblem>? problems = null;
        foreach (var validator in validators)
        {
            if (validator.Validate(Payload, _requests.Now) is { } problem)
            {
                (problems ??= []).Add(problem);
            }
        }

        return problems ?? [];
    }

    private static GridException HasEnded() => new(GridFailure.SessionEnded, "The session has ended.");
}
