using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Abstractions.Telemetry;
using Grid.Client;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Grid.Tokens.Tickets;
using Grid.WebFront.Admission;

namespace Grid.WebFront.Sessions;

/// <summary>Creates sessions, at once or by a ticket that a browser redeems.</summary>
/// <remarks>
/// Every method throws <see cref="StoreUnavailableException"/> when the outcome is unknown: answer 503. Those that ask the core behind Grid do so
/// outside of the request's own place, and throw <see cref="OverloadedException"/> if too many wait for it or there is no way back in: nothing has begun.
/// </remarks>
internal sealed class SessionIssuer(
    IGrainFactory grains, IAppDirectory apps, ISessionOrders orders, IKeyRings keyRings, AccessTokens accessTokens, Revocations revocations, GridMetrics metrics, TrustedClock clock,
    IAccounts? accounts = null)
{
    /// <summary>How long a ticket can be redeemed.</summary>
    public static TimeSpan TicketLife { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Creates a session and stores it before returning.</summary>
    /// <param name="app">The app.</param>
    /// <param name="draft">The session.</param>
    /// <param name="accessTokenValidity">Shorter than the app's; null = the app's.</param>
    /// <param name="rules">The client's.</param>
    /// <param name="door">The request's.</param>
    /// <exception cref="SessionRefusedException">The draft cannot become a session.</exception>
    public async Task<CreatedSession> CreateAsync(AppSnapshot app, SessionDraft draft, TimeSpan? accessTokenValidity, ClientRules rules, AdmissionDoor door)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(draft);
        Check(draft, rules);
        var owner = await FindOwnerAsync(app, draft.UserId, door);

        // A new random handle cannot be taken; if it is, our own write was retried.
        return await CreateAsync(app, SessionHandle.Create(draft.TenantId, clock.GetUtcMilliseconds()), draft, draft.UserId, owner, accessTokenValidity, rules, door, isOrdered: false)
            ?? throw new StoreUnavailableException("The session was not stored.");
    }

    /// <summary>
    /// Seals a session into a ticket that can be redeemed once, within <see cref="TicketLife"/>. Only the permit to create it is stored.
    /// </summary>
    /// <returns>Null if the data is too large for a ticket.</returns>
    /// <exception cref="SessionRefusedException">The draft cannot become a session.</exception>
    public async Task<OrderedSession?> OrderAsync(AppSnapshot app, SessionDraft draft, AdmissionDoor door)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(draft);
        Check(draft, ClientRules.Newest);
        var owner = await FindOwnerAsync(app, draft.UserId, door);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        var now = clock.GetUtcMilliseconds();
        var handle = SessionHandle.Create(draft.TenantId, now);
        var ticket = new SignInTicket
        {
            App = app.App.ToString(),
            SessionHandle = handle.ToString(),
            UserId = owner.UserId,
            RecipeUserId = RecipeUserId(owner, draft.UserId),
            PayloadJson = draft.PayloadJson,
            DataJson = draft.DataJson,
            UseDynamicKey = draft.UseDynamicSigningKey,
            ExpiresAt = now + TicketLife,
        };
        if (SignInTicketCodec.Seal(ticket, ring.Mac) is not { } text)
        {
            return null;
        }

        await orders.OrderAsync(new SessionOrder(new SessionKey(app.App, handle), owner.UserId, ticket.ExpiresAt), CancellationToken.None);
        return new OrderedSession(text, ticket.ExpiresAt, handle);
    }

    /// <summary>Reads a ticket that a browser presents. It is not used up.</summary>
    /// <returns>Null if it is not one of this app, or too old.</returns>
    public async Task<OpenedTicket?> OpenTicketAsync(AppSnapshot app, string ticketText)
    {
        ArgumentNullException.ThrowIfNull(app);
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        if (!SignInTicketCodec.TryOpen(ticketText, ring.Mac, clock.GetUtcNow(), out var ticket) || ticket.App != app.App.ToString()
            || !SessionHandle.TryParse(ticket.SessionHandle, out var handle) || !app.HasTenantOf(handle))
        {
            return null;
        }

        return new OpenedTicket(handle, new SessionDraft
        {
            TenantId = handle.TenantId,
            UserId = ticket.UserId,
            PayloadJson = ticket.PayloadJson,
            DataJson = ticket.DataJson,
            UseDynamicSigningKey = ticket.UseDynamicKey,
        })
        { RecipeUserId = ticket.RecipeUserId };
    }

    /// <summary>Creates the session of a ticket, and uses the ticket up.</summary>
    /// <returns>Null if the ticket was used before, or a revocation has made it void.</returns>
    /// <exception cref="SessionRefusedException">The draft cannot become a session; the ticket is not used up.</exception>
    /// <exception cref="StoreUnavailableException">Whether the ticket is used up is unknown: another one has to be ordered.</exception>
    public async Task<CreatedSession?> RedeemTicketAsync(AppSnapshot app, OpenedTicket ticket, AdmissionDoor door)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(ticket);
        Check(ticket.Draft, ClientRules.Newest);
        var recipeUserId = ticket.RecipeUserId ?? ticket.Draft.UserId;
        var owner = await FindOwnerAsync(app, recipeUserId, door);

        // Linked or unlinked since it was ordered: the account has another user now.
        return owner.UserId == ticket.Draft.UserId
            ? await CreateAsync(app, ticket.Handle, ticket.Draft, recipeUserId, owner, null, ClientRules.Newest, door, isOrdered: true)
            : null;
    }

    private async Task<CreatedSession?> CreateAsync(
        AppSnapshot app, SessionHandle handle, SessionDraft draft, string recipeUserId, AccountOwner owner, TimeSpan? accessTokenValidity, ClientRules rules, AdmissionDoor door, bool isOrdered)
    {
        var ring = await keyRings.GetAsync(app, CancellationToken.None);
        var now = clock.GetUtcMilliseconds();
        var antiCsrf = draft.WithAntiCsrf ? AccessTokens.NewAntiCsrf() : null;
        var refreshToken = RefreshTokenCodec.Mint(new RefreshTokenContent(app.App.ToString(), handle.ToString(), null, antiCsrf), ring.Mac);
        var hash1 = TokenHash.Of(refreshToken);
        var result = await grains.SessionOf(app.App, handle).CreateAsync(
            new NewSession
            {
                UserId = owner.UserId,
                RecipeUserId = RecipeUserId(owner, recipeUserId),
                RefreshTokenHash = hash1.HashOfHex(),
                PayloadJson = draft.PayloadJson,
                DataJson = draft.DataJson,
                UseDynamicKey = draft.UseDynamicSigningKey,
                CreatedAt = now,
                ExpiresAt = SessionExpiry.Of(now, now, app.Settings.RefreshTokenValidity, app.Settings.MaxLifetime),
                IsOrdered = isOrdered,
            },
            CancellationToken.None);
        if (result.Outcome == SessionOutcome.NotFound)
        {
            return null;
        }

        if (result is not { Outcome: SessionOutcome.Ok, Session: { } session })
        {
            throw new StoreUnavailableException("The session was not stored.");
        }

        // The tenant may have been removed in the meantime, and its sessions revoked before this one was stored.
        if (await apps.FindAsync(app.App, CancellationToken.None) is not { } present || !present.HasTenantOf(handle))
        {
            await revocations.RevokeAsync(new RevocationScope.Named { App = app.App, Sessions = [handle] }, RevocationReason.TenantRemoved, "removal");
            throw new StoreUnavailableException("The tenant was removed while the session was made.");
        }

        await RequireSameOwnerAsync(app, handle, recipeUserId, owner, door);
        metrics.Created();
        var access = accessTokens.Mint(app, ring, session, rules.TokenVersion, hash1, null, antiCsrf, AccessTokens.Life(app, accessTokenValidity));
        var tokens = new SessionTokens(access, new IssuedToken(refreshToken, now, session.ExpiresAt), antiCsrf);
        return new CreatedSession(handle.ToString(), session.UserId, handle.TenantId, session.PayloadJson, tokens) { RecipeUserId = session.RecipeUserId ?? session.UserId };
    }

    private ValueTask<AccountOwner> FindOwnerAsync(AppSnapshot app, string recipeUserId, AdmissionDoor door) =>
        accounts is null ? new(new AccountOwner(recipeUserId, IsKnown: false)) : new(AskAsync(accounts, app, recipeUserId, door));

    // However long it takes, no place is missing meanwhile for what needs the store only.
    private static async Task<AccountOwner> AskAsync(IAccounts accounts, AppSnapshot app, string recipeUserId, AdmissionDoor door)
    {
        AccountOwner owner;
        using (door.WaitOutside(RequestClass.Ask))
        {
            owner = await accounts.FindOwnerAsync(app.App, recipeUserId);
        }

        door.Enter();
        return owner;
    }

    // Asked again after the session is stored: whoever links, unlinks or removes the account meanwhile ends the sessions that are there, and
    // might have looked before. Nobody has its tokens yet.
    private async ValueTask RequireSameOwnerAsync(AppSnapshot app, SessionHandle handle, string recipeUserId, AccountOwner owner, AdmissionDoor door)
    {
        if (accounts is null)
        {
            return;
        }

        using var outside = door.WaitOutside(RequestClass.Ask, hasBegun: true);
        var isSame = false;
        try
        {
            isSame = await accounts.FindOwnerAsync(app.App, recipeUserId) == owner;
        }
        finally
        {
            if (!isSame)
            {
                await revocations.RevokeAsync(new RevocationScope.Named { App = app.App, Sessions = [handle] }, RevocationReason.Requested, "linking");
            }
        }

        if (!isSame)
        {
            throw new StoreUnavailableException("The account was linked, unlinked or removed while its session was made.");
        }
    }

    private static string? RecipeUserId(AccountOwner owner, string recipeUserId) => owner.UserId == recipeUserId ? null : recipeUserId;

    private static void Check(SessionDraft draft, ClientRules rules)
    {
        PayloadRules.CheckUserId(draft.UserId);
        PayloadRules.Check(draft.PayloadJson, rules.TokenVersion);
    }
}
