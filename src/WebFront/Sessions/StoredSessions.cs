using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Tokens.Access;

namespace Grid.WebFront.Sessions;

/// <summary>Reads and changes what is stored about a session.</summary>
public sealed class StoredSessions(IGrainFactory grains, ISessionReader reader, ISessionChanges changes, TrustedClock clock, ITenantsBehind? behind = null)
{
    /// <summary>An active session; null if there is none.</summary>
    /// <exception cref="StoreUnavailableException">The store could not be read.</exception>
    public async ValueTask<SessionRecord?> FindAsync(AppSnapshot app, SessionHandle handle)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (!await behind.HasTenantOfAsync(app, handle))
        {
            return null;
        }

        var row = await reader.ReadAsync(new SessionKey(app.App, handle), CancellationToken.None);
        return row is not null && row.ExpiresAt > clock.GetUtcNow() ? row : null;
    }

    /// <summary>A user's active sessions, oldest first, in the key's tenant or in all.</summary>
    /// <exception cref="StoreUnavailableException">The store could not be read.</exception>
    public async Task<ImmutableArray<SessionHandle>> ListAsync(UserKey user, bool allTenants) =>
        await grains.UserOf(user).ListAsync(allTenants, CancellationToken.None) is { Outcome: SessionOutcome.Ok } listed
            ? listed.Sessions
            : throw new StoreUnavailableException("The user's sessions could not be listed.");

    /// <summary>Replaces payload and/or data. When it returns, database checks in other silos see the new payload, too (docs/decisions/0034).</summary>
    /// <returns>The session as stored now; null if there is no such session.</returns>
    /// <exception cref="SessionRefusedException">The payload is too large, or has a protected claim.</exception>
    /// <exception cref="StoreUnavailableException">Whether it is stored is unknown.</exception>
    public async Task<SessionSnapshot?> UpdateAsync(AppSnapshot app, SessionHandle handle, string? payloadJson, string? dataJson, ClientRules rules)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (payloadJson is not null)
        {
            PayloadRules.Check(payloadJson, rules.TokenVersion);
        }

        if (!await behind.HasTenantOfAsync(app, handle))
        {
            return null;
        }

        var session = Changed(await grains.SessionOf(app.App, handle).UpdateAsync(payloadJson, dataJson, CancellationToken.None));
        if (session is not null && payloadJson is not null)
        {
            await changes.TellAsync(new SessionKey(app.App, handle));
        }

        return session;
    }

    /// <summary>Merges into the stored payload, or puts another in its place; what the front made of it stays. Seen as after <see cref="UpdateAsync"/>.</summary>
    /// <returns>The session as stored now; null if there is no such session.</returns>
    /// <exception cref="SessionRefusedException">The payload would be too large, or the changes name a protected claim.</exception>
    /// <exception cref="StoreUnavailableException">Whether it is stored is unknown.</exception>
    public async Task<SessionSnapshot?> ChangePayloadAsync(AppSnapshot app, SessionHandle handle, string changesJson, bool replaces)
    {
        ArgumentNullException.ThrowIfNull(app);
        PayloadRules.Check(changesJson, ClientRules.Newest.TokenVersion);
        if (!await behind.HasTenantOfAsync(app, handle))
        {
            return null;
        }

        var session = Changed(await grains.SessionOf(app.App, handle).ChangePayloadAsync(changesJson, replaces, CancellationToken.None));
        if (session is not null)
        {
            await changes.TellAsync(new SessionKey(app.App, handle));
        }

        return session;
    }

    private static SessionSnapshot? Changed(SessionResult result) => result.Outcome switch
    {
        SessionOutcome.Ok => result.Session,
        SessionOutcome.NotFound => null,
        SessionOutcome.TooLarge => throw new SessionRefusedException(
            $"The payload would have more than {AccessTokenSize.MaxPayload} bytes: the access token has to carry it"),
        _ => throw new StoreUnavailableException("The session could not be changed."),
    };
}
