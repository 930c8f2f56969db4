using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Grid.AspNetCore.Authentication;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Claims;
using Grid.AspNetCore.Live;
using Grid.Client;
using Grid.Revocation.Holders;
using Grid.Tokens.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.AspNetCore;

/// <summary>
/// The session of a request. Changes to its access token are sent with the response, so make them before the response starts.
/// </summary>
/// <remarks>
/// Methods throw <see cref="GridException"/> if the session has ended in the meantime or Grid is unavailable; if it is not handled, that
/// becomes 401 or 503.
/// </remarks>
public sealed class GridSession : IBindableFromHttpContext<GridSession>, IEndpointParameterMetadataProvider
{
    private readonly SessionRequests _requests;
    private readonly HttpContext _context;
    private readonly TokenTransfer _transfer;
    private JsonElement? _payload;
    private SessionWatch? _watch;

    internal GridSession(SessionRequests requests, HttpContext context, TokenTransfer transfer, string accessToken, string handle, string userId, string recipeUserId, string tenantId, string payloadJson, DateTimeOffset expiresAt)
    {
        (_requests, _context, _transfer) = (requests, context, transfer);
        (AccessToken, Handle, UserId, RecipeUserId, TenantId, PayloadJson, AccessTokenExpiresAt) = (accessToken, handle, userId, recipeUserId, tenantId, payloadJson, expiresAt);
    }

    /// <summary>The session's public id; not a secret.</summary>
    public string Handle { get; }

    /// <summary>The user it belongs to.</summary>
    public string UserId { get; }

    /// <summary>The account by which the user signed in: <see cref="UserId"/>, unless accounts are linked in the core behind Grid.</summary>
    public string RecipeUserId { get; }

    /// <summary>The tenant it belongs to.</summary>
    public string TenantId { get; }

    /// <summary>The current access token.</summary>
    [JsonIgnore] // An endpoint that returns its session must not show the token to scripts.
    public string AccessToken { get; private set; }

    /// <summary>When the access token expires; the session lasts longer.</summary>
    public DateTimeOffset AccessTokenExpiresAt { get; private set; }

    /// <summary>
    /// When the session expires unless it is refreshed first; known only of one that this request created. <see cref="GetExpiryAsync"/>
    /// asks.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ExpiresAt { get; internal init; }

    /// <summary>The claims in the access token, one JSON object.</summary>
    public string PayloadJson { get; private set; }

    /// <summary>The claims in the access token.</summary>
    public JsonElement Payload => _payload ??= JsonElement.Parse(PayloadJson);

    /// <summary>
    /// Cancelled when the session ends, wherever that happens: for WebSockets, event streams and other requests that outlast a check.
    /// An outage does not cancel it.
    /// </summary>
    /// <remarks><c>EndsWithGridSession()</c> on an endpoint ends its requests and connections then, without any code of theirs.</remarks>
    [JsonIgnore]
    public CancellationToken Ended
    {
        get
        {
            if (_watch is null)
            {
                _watch = Held.Watch();
                _context.RequestServices.GetRequiredService<RequestWatches>().Add(_watch);
            }

            return _watch.Ended;
        }
    }

    /// <summary>
    /// Binds a parameter of a minimal API's endpoint. <c>(GridSession session)</c> requires a session, as <c>RequireAuthorization()</c> does;
    /// <c>(GridSession? session)</c> is null without one, and sends a request with an expired access token to refresh first, as
    /// <c>WithOptionalGridSession()</c> does.
    /// </summary>
    public static ValueTask<GridSession?> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult(context.GetGridSession());

    /// <summary>Called by the framework for an endpoint with such a parameter.</summary>
    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(builder);
        if (parameter.HasDefaultValue || new NullabilityInfoContext().Create(parameter).ReadState == NullabilityState.Nullable)
        {
            builder.Metadata.Add(new OptionalGridSessionAttribute());
        }
        else
        {
            builder.Metadata.Add(new AuthorizeAttribute());
            builder.Metadata.Add(new RequiredGridClaims([]));
        }
    }

    /// <summary>
    /// Revokes the session and tells the browser to discard its tokens, unless the response has started, as in a WebSocket. When this
    /// returns, the session is refused everywhere.
    /// </summary>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.StillWaiting"/>: repeat the
    /// call.</exception>
    public async Task RevokeAsync(CancellationToken cancellationToken = default)
    {
        await LiveRequest.EndOwnAsync(_context, () => _requests.Sessions.RevokeAsync(Handle, GridRevocationReason.SignedOut, cancellationToken));
        if (!_context.Response.HasStarted)
        {
            _requests.Transport.Clear(_context, _transfer);
        }
    }

    /// <summary>What is stored about the session: data, creation, expiry.</summary>
    /// <exception cref="GridException">Grid is unavailable or rejects the call, or <see cref="GridFailure.SessionEnded"/>.</exception>
    public async ValueTask<SessionInformation> GetInformationAsync(CancellationToken cancellationToken = default) =>
        await _requests.Sessions.FindAsync(Handle, cancellationToken) ?? throw HasEnded();

    /// <summary>The data that only back ends see.</summary>
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

    /// <summary>When the session expires unless it is refreshed first.</summary>
    /// <inheritdoc cref="GetInformationAsync" path="/exception"/>
    public async ValueTask<DateTimeOffset> GetExpiryAsync(CancellationToken cancellationToken = default) => (await GetInformationAsync(cancellationToken)).ExpiresAt;

    /// <summary>
    /// Sets claims in the payload as it is stored now; null removes one. The response carries a new access token, with what others changed
    /// meanwhile. <c>iss</c> stays.
    /// </summary>
    /// <exception cref="ArgumentException">A claim is reserved for Grid, such as <c>sub</c>.</exception>
    /// <exception cref="GridException">Grid is unavailable or rejects the call; <see cref="GridFailure.SessionEnded"/>; or
    /// <see cref="GridFailure.TokenTooLong"/>: the token would not fit into its cookie or header. Nothing was stored, unless somebody else has made the payload
    /// longer since this request's token was issued.</exception>
    public async Task MergeIntoPayloadAsync(JsonObject changes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        if (ProtectedClaims.FindIn(JsonSerializer.SerializeToUtf8Bytes(changes), AccessTokenVersion.V5) is { } name)
        {
            throw new ArgumentException($"The claim '{name}' is reserved for Grid.", nameof(changes));
        }

        // Before it is stored: a token that is too long now would be too long at the next refresh as well.
        if (!AccessTokenVerifier.TryReadUnverified(AccessToken, out var now))
        {
            throw HasEnded();
        }

        var changesJson = changes.ToJsonString();
        _requests.RefuseTooLong(_context, _transfer, now with { PayloadJson = PayloadText.Merge(PayloadJson, changesJson) });

        // Into what is stored, not what this token has: another request, or a back end by the handle, may have changed it meanwhile.
        var stored = await _requests.Sessions.MergePayloadAsync(Handle, changesJson, cancellationToken) ?? throw HasEnded();
        _requests.RefuseTooLong(_context, _transfer, now with { PayloadJson = stored });
        var made = await _requests.Sessions.RegenerateAsync(AccessToken, cancellationToken) ?? throw HasEnded();
        (PayloadJson, _payload) = (made.PayloadJson, null);
        if (made.AccessToken is { } token)
        {
            (AccessToken, AccessTokenExpiresAt) = (token.Text, token.ExpiresAt);
            _requests.Transport.SetAccess(_context, _transfer, token, UserId);
        }
    }

    /// <summary>A claim's value; the default if it is missing.</summary>
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

    /// <summary>Fetches a claim's value and sets it; leaves the claim unchanged if there is no value.</summary>
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

    /// <summary>Validates claims, after fetching those that are missing or too old.</summary>
    /// <exception cref="GridClaimsException">A claim fails; if this is not handled, the browser gets 403 with the reasons.</exception>
    public async Task AssertClaimsAsync(IEnumerable<ClaimValidator> validators, CancellationToken cancellationToken = default)
    {
        if (await CheckClaimsAsync([.. validators], cancellationToken) is { Count: > 0 } problems)
        {
            throw new GridClaimsException(problems);
        }
    }

    /// <summary>Of its scheme.</summary>
    internal SessionRequests Side => _requests;

    internal HeldSession Held => new(_requests.Sessions, Handle);

    /// <summary>The same for another request, or for the copy of one that a connection by long polling keeps.</summary>
    internal GridSession For(HttpContext context) =>
        new(_requests, context, _transfer, AccessToken, Handle, UserId, RecipeUserId, TenantId, PayloadJson, AccessTokenExpiresAt) { ExpiresAt = ExpiresAt };

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
            var problem = validator is SignInAge age
                ? age.Validate(SignInAge.ReadCreation(Handle) ?? await GetCreatedAtAsync(cancellationToken), _requests.Now)
                : validator.Validate(Payload, _requests.Now);
            if (problem is not null)
            {
                (problems ??= []).Add(problem);
            }
        }

        return problems ?? [];
    }

    private static GridException HasEnded() => new(GridFailure.SessionEnded, "The session has ended.");
}
