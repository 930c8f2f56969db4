using System.Collections.Immutable;
using System.Globalization;
using Grid.Abstractions;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Telemetry;
using Grid.Revocation.Acknowledgement;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Sessions;

/// <summary>
/// Revokes sessions on behalf of the core API and the front, and logs one line for each revocation: what, by whom, why, how many, and who
/// confirmed it.
/// </summary>
internal sealed partial class Revocations(ISessionRevoker commits, Revoker revoker, IGrainFactory grains, GridMetrics metrics, TimeProvider clock, ILogger<Revocations> logger)
{
    /// <summary>Maximum number of sessions per transaction: a longer one would hold up all other writers.</summary>
    private const int MaxAtOnce = 1000;

    /// <summary>Maximum number of handles that a log line names.</summary>
    private const int MaxNamed = 4;

    // How long to wait for a user's grain: a revocation must not wait until the cluster has found out where it is.
    private static readonly TimeSpan GrainPatience = TimeSpan.FromSeconds(2);

    /// <summary>The actor that stands for the front, on behalf of a browser.</summary>
    public const string Front = "front";

    /// <summary>Revokes and confirms. When this returns, the sessions are refused everywhere.</summary>
    /// <param name="scope">What to revoke.</param>
    /// <param name="reason">Why.</param>
    /// <param name="actor">Who asked: <see cref="Front"/>, or the short id of an API key.</param>
    /// <exception cref="StoreUnavailableException">Not done, or the outcome is unknown. Retrying is safe.</exception>
    public async Task<(ImmutableArray<SessionHandle> Sessions, RevocationReceipt Receipt)> RevokeAsync(RevocationScope scope, RevocationReason reason, string actor)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var revoked = scope is RevocationScope.Named { Sessions.Length: > MaxAtOnce } many
            ? await CommitManyAsync(many, reason, actor)
            : await commits.CommitAsync(scope, reason, CancellationToken.None);
        var isCounted = scope is RevocationScope.Named or RevocationScope.User;
        return (revoked.Sessions, await ConfirmAsync(scope, reason, actor, isCounted ? revoked.Sessions.Length : null, revoked.Entries));
    }

    /// <summary>Revokes all sessions of a user, in one tenant or in all.</summary>
    /// <param name="user">Tenant and user.</param>
    /// <param name="allTenants">Whether to revoke those in the app's other tenants too.</param>
    /// <param name="except">A session to keep; null for none.</param>
    /// <param name="actor">Who asked.</param>
    public async Task<(ImmutableArray<SessionHandle> Sessions, RevocationReceipt Receipt)> RevokeUserAsync(
        UserKey user, bool allTenants, SessionHandle? except, string actor)
    {
        var scope = RevocationScope.User.Of(user, allTenants, except);
        try
        {
            var revoked = await grains.UserOf(user)
                .RevokeAllAsync(allTenants, except, RevocationReason.Requested, CancellationToken.None).WaitAsync(GrainPatience, clock);
            return revoked.Outcome == SessionOutcome.Ok
                ? (revoked.Sessions, await ConfirmAsync(scope, RevocationReason.Requested, actor, revoked.Sessions.Length, revoked.Entries))
                : throw new StoreUnavailableException("The sessions could not be revoked.");
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            // Its silo may have just died: a revocation does not wait for the cluster to notice. Revoking twice does no harm.
            return await RevokeAsync(scope, RevocationReason.Requested, actor);
        }
    }

    /// <summary>Confirms the end of a session that its grain has committed; does nothing if it has not.</summary>
    public async Task ConfirmAsync(SessionKey session, RevocationReason reason, ImmutableArray<RevocationEntry> ended)
    {
        if (!ended.IsDefaultOrEmpty)
        {
            var actor = reason == RevocationReason.RefreshTokenReuse ? "reuse" : "lifetime";
            await ConfirmAsync(new RevocationScope.Named { App = session.App, Sessions = [session.Handle] }, reason, actor, 1, ended);
        }
    }

    /// <summary>Confirms a revocation that has been committed.</summary>
    /// <param name="scope">What was revoked.</param>
    /// <param name="reason">Why.</param>
    /// <param name="actor">Who asked.</param>
    /// <param name="count">How many sessions; null if they were not counted.</param>
    /// <param name="entries">What the commit returned.</param>
    public async Task<RevocationReceipt> ConfirmAsync(
        RevocationScope scope, RevocationReason reason, string actor, int? count, ImmutableArray<RevocationEntry> entries)
    {
        try
        {
            using var span = GridActivities.Source.StartActivity("grid.revocation confirm");
            var receipt = await revoker.ConfirmAsync(entries, CancellationToken.None);
            span?.SetTag("grid.revocation.confirmed", receipt.Confirmed).SetTag("grid.revocation.waited_out", receipt.Waited);
            Write(scope, reason, actor, count, receipt);
            return receipt;
        }
        catch (StoreUnavailableException)
        {
            WriteUnconfirmed(scope, reason, actor);
            throw;
        }
    }

    /// <summary>Logs and counts a revocation that was committed and confirmed elsewhere.</summary>
    public void Write(RevocationScope scope, RevocationReason reason, string actor, int? count, RevocationReceipt receipt)
    {
        ArgumentNullException.ThrowIfNull(scope);
        ArgumentNullException.ThrowIfNull(receipt);
        metrics.Revoked(reason, count, receipt.Elapsed, receipt.Waited);

        // Worth a look: a stolen token, a compromised key, or a process that accepts tokens but did not confirm.
        var level = reason is RevocationReason.RefreshTokenReuse or RevocationReason.KeyRevoked || receipt.Waited > 0 ? LogLevel.Warning : LogLevel.Information;
        if (logger.IsEnabled(level))
        {
            var (what, tenant, user) = Describe(scope);
            var app = Printable.Of(scope.App.ToString());
            var sessions = count?.ToString(CultureInfo.InvariantCulture) ?? "all";
            var milliseconds = (long)receipt.Elapsed.TotalMilliseconds;
            Log.Revoked(
                logger, level, what, app, tenant, user, reason, actor, sessions, receipt.Position, receipt.Confirmed, receipt.Waited, receipt.Excluded, milliseconds);
        }
    }

    // Several transactions, confirmed once: what was committed before a failure is confirmed when the call is repeated.
    private async Task<RevokedSessions> CommitManyAsync(RevocationScope.Named scope, RevocationReason reason, string actor)
    {
        var sessions = ImmutableArray.CreateBuilder<SessionHandle>(scope.Sessions.Length);
        var entries = ImmutableArray.CreateBuilder<RevocationEntry>(scope.Sessions.Length);
        foreach (var part in scope.Sessions.Distinct().Chunk(MaxAtOnce))
        {
            try
            {
                var revoked = await commits.CommitAsync(scope with { Sessions = [.. part] }, reason, CancellationToken.None);
                sessions.AddRange(revoked.Sessions);
                entries.AddRange(revoked.Entries);
            }
            catch (StoreUnavailableException) when (sessions.Count > 0)
            {
                WriteUnconfirmed(scope with { Sessions = sessions.ToImmutable() }, reason, actor);
                throw;
            }
        }

        return new RevokedSessions(sessions.ToImmutable(), entries.ToImmutable());
    }

    private void WriteUnconfirmed(RevocationScope scope, RevocationReason reason, string actor)
    {
        metrics.Unconfirmed(reason);
        var (what, tenant, user) = Describe(scope);
        var app = Printable.Of(scope.App.ToString());
        Log.Unconfirmed(logger, what, app, tenant, user, reason, actor);
    }

    private static (string What, string Tenant, string User) Describe(RevocationScope scope) => scope switch
    {
        RevocationScope.Named { Sessions: var sessions } => (
            "session " + string.Join(", ", sessions.Take(MaxNamed).Select(handle => Printable.Of(handle.ToString()))) + (sessions.Length > MaxNamed ? $" and {sessions.Length - MaxNamed} more" : ""),
            string.Join(", ", sessions.Select(handle => handle.TenantId).Distinct().Take(MaxNamed).Select(tenant => Printable.Of(tenant))), "-"),
        RevocationScope.User { Except: { } kept } user => ($"user but {Printable.Of(kept.ToString())}", Printable.Of(user.TenantId ?? "*"), $"\"{Printable.Of(user.UserId)}\""),
        RevocationScope.User user => ("user", Printable.Of(user.TenantId ?? "*"), $"\"{Printable.Of(user.UserId)}\""),
        RevocationScope.Tenant tenant => ("tenant", Printable.Of(tenant.TenantId), "-"),
        RevocationScope.SigningKey key => ($"signing key {Printable.Of(key.Kid)}", "*", "-"),
        _ => ("app", "*", "-"),
    };

    private static partial class Log
    {
        [LoggerMessage(EventId = 3300, Message = "Revoked {Scope}: app {App}, tenant {Tenant}, user {User}, reason {Reason}, by {Actor}, sessions {Count}; position {Position}, confirmed by {Confirmed}, waited out {Waited}, excluded {Excluded}, {Milliseconds} ms")]
        public static partial void Revoked(
            ILogger logger, LogLevel level, string scope, string app, string tenant, string user, RevocationReason reason, string actor, string count,
            long position, int confirmed, int waited, int excluded, long milliseconds);

        [LoggerMessage(3301, LogLevel.Warning, "Revoked in the store, not confirmed: {Scope}, app {App}, tenant {Tenant}, user {User}, reason {Reason}, by {Actor}; the caller was told to repeat it")]
        public static partial void Unconfirmed(ILogger logger, string scope, string app, string tenant, string user, RevocationReason reason, string actor);
    }
}
