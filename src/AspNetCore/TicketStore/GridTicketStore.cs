using System.Collections.Concurrent;
using Grid.AspNetCore.Browser;
using Grid.AspNetCore.Live;
using Grid.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.TicketStore;

/// <summary>Keeps a cookie scheme's tickets in Grid's sessions. The key in the cookie is the session's handle; the ticket is in the session's data.</summary>
/// <remarks>
/// Each request asks whether the session is active, which this process knows without a call (docs/revocation.md); only then is the ticket
/// looked for, in memory or in the store. So a ticket in memory may be old, but never that of a session that was ended.
/// </remarks>
internal sealed partial class GridTicketStore : ITicketStore
{
    private const string Purpose = "Grid.AspNetCore.TicketStore.v1";

    // What stands for a ticket that cannot be opened.
    private const int SizeOfNothing = 256;

    // Objects and UTF-16 strings take more than what they were made from.
    private const int SizePerByte = 4;

    // A silo that does not know a tenant yet, which another has just made, knows no session of it either.
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    private readonly string _scheme;
    private readonly CookieAuthenticationOptions _cookie;
    private readonly GridTicketStoreOptions _options;
    private readonly TicketCache _cache;
    private readonly IGridSessions _sessions;
    private readonly TicketData _data;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, Task<CachedTicket?>> _reading = new(StringComparer.Ordinal);

    public GridTicketStore(
        string scheme, CookieAuthenticationOptions cookie, TicketCache cache, IOptionsMonitor<GridTicketStoreOptions> options, IGridSessions sessions,
        IDataProtectionProvider protection, TimeProvider clock, ILogger<GridTicketStore> logger)
    {
        (_scheme, _cookie, _options, _cache, _sessions, _logger) = (scheme, cookie, options.Get(scheme), cache, sessions, logger);
        _data = new TicketData((cookie.DataProtectionProvider ?? protection).CreateProtector(Purpose, scheme));
        _clock = cookie.TimeProvider ?? clock;
    }

    public Task<string> StoreAsync(AuthenticationTicket ticket) => SignInAsync(ticket, CookieSession.Of(null, _scheme), null);

    public Task<string> StoreAsync(AuthenticationTicket ticket, HttpContext httpContext, CancellationToken cancellationToken) =>
        SignInAsync(ticket, CookieSession.Of(httpContext, _scheme), httpContext);

    public Task<AuthenticationTicket?> RetrieveAsync(string key) => FindAsync(key, CookieSession.Of(null, _scheme), CancellationToken.None);

    public Task<AuthenticationTicket?> RetrieveAsync(string key, HttpContext httpContext, CancellationToken cancellationToken) =>
        FindAsync(key, CookieSession.Of(httpContext, _scheme), cancellationToken);

    public Task RenewAsync(string key, AuthenticationTicket ticket) => RenewAsync(key, ticket, CookieSession.Of(null, _scheme));

    public Task RenewAsync(string key, AuthenticationTicket ticket, HttpContext httpContext, CancellationToken cancellationToken) =>
        RenewAsync(key, ticket, CookieSession.Of(httpContext, _scheme));

    public Task RemoveAsync(string key) => EndAsync(key, CookieSession.Of(null, _scheme), null);

    public Task RemoveAsync(string key, HttpContext httpContext, CancellationToken cancellationToken) => EndAsync(key, CookieSession.Of(httpContext, _scheme), httpContext);

    // Not cancelled if the browser disconnects: half a sign-in would leave a session that no one knows of.
    private async Task<string> SignInAsync(AuthenticationTicket ticket, CookieSession session, HttpContext? context)
    {
        var owner = TicketOwner.Of(ticket.Principal, _options);
        var text = _data.Seal(ticket, owner);
        var created = await _sessions.CreateAsync(
            new SessionDraft { UserId = owner.UserId, TenantId = owner.TenantId, DataJson = TicketData.Put("{}", text) }, CancellationToken.None);
        try
        {
            foreach (var former in new[] { session.Came, session.Handle }.OfType<string>().Distinct())
            {
                RememberEnd(former, isSure: await LiveRequest.EndOwnAsync(context, () => _sessions.ReplaceAsync(former)));
            }
        }
        catch
        {
            await _sessions.CleanUpAsync(created.Handle);
            throw;
        }

        var written = Written(ticket, text);
        _cache.Set(created.Handle, written);
        (session.Came, session.Handle, session.Read) = (created.Handle, created.Handle, written);
        return created.Handle;
    }

    private async Task<AuthenticationTicket?> FindAsync(string handle, CookieSession session, CancellationToken cancellationToken)
    {
        session.Came = handle;
        if (session.Call == CookieCall.SignIn)
        {
            // Then the handler makes a new one.
            return null;
        }

        (session.Handle, session.Read) = (null, null);
        var found = await FindAsync(handle, cancellationToken);
        if (found?.Ticket is null)
        {
            session.Came = found is null ? null : handle;
            return null;
        }

        (session.Handle, session.Read) = (handle, found);
        var ticket = found.Ticket.Clone();
        ticket.Properties.SetGridSessionHandle(handle);
        return ticket;
    }

    /// <summary>The ticket of an active session; null if there is no such session.</summary>
    private async ValueTask<CachedTicket?> FindAsync(string handle, CancellationToken cancellationToken)
    {
        var isKnown = _cache.TryFind(handle, out var found) && !IsOutdated(found);
        if (isKnown && found!.IsOver)
        {
            return null;
        }

        if (!await _sessions.IsActiveAsync(handle, cancellationToken))
        {
            // It was there, if its ticket is known.
            RememberEnd(handle, isSure: found is { IsUnsure: false });
            return null;
        }

        return isKnown ? found : await ReadAsync(handle, cancellationToken);
    }

    // One read for all who wait for it: a page comes with a dozen requests.
    private Task<CachedTicket?> ReadAsync(string handle, CancellationToken cancellationToken)
    {
        var mine = new TaskCompletionSource<CachedTicket?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var shared = _reading.GetOrAdd(handle, mine.Task);
        if (shared == mine.Task)
        {
            _ = ReadForAllAsync(handle, mine);
        }

        return shared.WaitAsync(cancellationToken);
    }

    private async Task ReadForAllAsync(string handle, TaskCompletionSource<CachedTicket?> done)
    {
        try
        {
            done.SetResult(await ReadAsync(handle));
        }
        catch (Exception failure)
        {
            done.SetException(failure);

            // Whoever asked may have gone.
            _ = done.Task.Exception;
        }
        finally
        {
            _reading.TryRemove(handle, out _);
        }
    }

    private async Task<CachedTicket?> ReadAsync(string handle)
    {
        // A read may have ended since this one was found to be needed: what it brought is remembered before it makes room.
        if (_cache.TryFind(handle, out var found) && !found.IsOver && !IsOutdated(found))
        {
            return found;
        }

        var startedAt = _clock.GetTimestamp();
        if (await _sessions.FindAsync(handle, CancellationToken.None) is not { } stored)
        {
            RememberEnd(handle, isSure: true);
            return null;
        }

        var text = TicketData.Find(stored.DataJson);
        var ticket = text is null ? null : _data.Open(text, new TicketOwner(stored.RecipeUserId, stored.TenantId));
        if (ticket is null)
        {
            Log.CannotOpen(_logger, handle, _scheme);
        }

        var read = new CachedTicket(ticket, TicketData.Version(text ?? ""), Size(ticket is null ? "" : text!), startedAt)
        {
            WasDue = ticket is not null && IsDue(ticket),
        };
        _cache.Set(handle, read);
        return read;
    }

    // The handler renews in the very last moment, when the answer starts: what failed there would cost the user the page, and the next
    // request renews as well.
    private async Task RenewAsync(string handle, AuthenticationTicket ticket, CookieSession session)
    {
        try
        {
            if (!await WriteAsync(handle, ticket, session.Read))
            {
                _cache.Remove(handle);
            }
        }
        catch (GridException failure) when (failure.Reason == GridFailure.Unavailable)
        {
            Log.NotRenewed(_logger, handle, failure);
        }
    }

    /// <summary>Replaces the ticket of a session that is there still: an update never makes one.</summary>
    /// <returns>False if there is no such session, or another request has renewed its ticket in the meantime.</returns>
    private async Task<bool> WriteAsync(string handle, AuthenticationTicket ticket, CachedTicket? read)
    {
        if (await _sessions.FindAsync(handle, CancellationToken.None) is not { } stored)
        {
            return false;
        }

        var owner = TicketOwner.Of(ticket.Principal, _options);
        if (owner != new TicketOwner(stored.RecipeUserId, stored.TenantId))
        {
            throw new InvalidOperationException(
                "The ticket to renew has a principal of another user or tenant than its session. Sign that user in by SignInAsync: it makes a session of its own.");
        }

        // Another tab, or another process, has renewed it, perhaps with another principal. Ours brings nothing but a later time.
        var isNewer = TicketData.Version(TicketData.Find(stored.DataJson) ?? "") != read?.Version;
        if (isNewer && read?.Ticket is { } former && HaveSamePrincipal(former, ticket))
        {
            return false;
        }

        var text = _data.Seal(ticket, owner);
        if (!await _sessions.UpdateDataAsync(handle, TicketData.Put(stored.DataJson, text), CancellationToken.None))
        {
            return false;
        }

        _cache.Set(handle, Written(ticket, text));
        return true;
    }

    private async Task EndAsync(string handle, CookieSession session, HttpContext? context)
    {
        var reason = session.Call == CookieCall.SignOut ? GridRevocationReason.SignedOut : GridRevocationReason.Requested;
        try
        {
            await LiveRequest.EndOwnAsync(context, () => _sessions.RevokeAsync(handle, reason, CancellationToken.None));
            RememberEnd(handle, isSure: true);
        }
        catch (GridException failure)
            when (session.Call == CookieCall.Authenticate && failure.Reason is GridFailure.Unavailable or GridFailure.StillWaiting)
        {
            // Its ticket has expired, which every process sees for itself.
        }

        session.Came = session.Came == handle ? null : session.Came;
        (session.Handle, session.Read) = (null, null);
    }

    private void RememberEnd(string handle, bool isSure) =>
        _cache.Set(handle, new CachedTicket(null, "", SizeOfNothing, _clock.GetTimestamp()) { IsOver = true, IsUnsure = !isSure });

    private bool IsOutdated(CachedTicket found) => _clock.GetElapsedTime(found.ReadAt) is var age
        && (age >= _options.ReadAgainAfter || (found.IsUnsure && age >= AskAgainAfter))
        || (found.Ticket is { } ticket && (ticket.Properties.ExpiresUtc < _clock.GetUtcNow() || (!found.WasDue && IsDue(ticket))));

    // As the handler sees it: before anybody is renewed or signed out, what another process may have renewed is looked at.
    private bool IsDue(AuthenticationTicket ticket)
    {
        var (issued, expires, now) = (ticket.Properties.IssuedUtc, ticket.Properties.ExpiresUtc, _clock.GetUtcNow());
        return _cookie.SlidingExpiration && ticket.Properties.AllowRefresh != false && expires - now < now - issued;
    }

    private CachedTicket Written(AuthenticationTicket ticket, string text) => new(ticket.Clone(), TicketData.Version(text), Size(text), _clock.GetTimestamp());

    private static long Size(string text) => SizeOfNothing + ((long)text.Length * SizePerByte);

    private static bool HaveSamePrincipal(AuthenticationTicket one, AuthenticationTicket other) => Principal(one).AsSpan().SequenceEqual(Principal(other));

    private static byte[] Principal(AuthenticationTicket ticket) => TicketSerializer.Default.Serialize(new AuthenticationTicket(ticket.Principal, ""));

    private static partial class Log
    {
        [LoggerMessage(4020, LogLevel.Warning,
            "The authentication ticket of session {SessionHandle} cannot be opened: its user is signed out of {Scheme}. Have the Data Protection keys been lost, or has the session's data been replaced?")]
        public static partial void CannotOpen(ILogger logger, string sessionHandle, string scheme);

        [LoggerMessage(4021, LogLevel.Debug, "The authentication ticket of session {SessionHandle} was not renewed: Grid is unavailable. The next request tries again")]
        public static partial void NotRenewed(ILogger logger, string sessionHandle, Exception failure);
    }
}
