using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Log;
using Grid.Storage.Importing;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Microsoft.Data.Sqlite;
using static Grid.Storage.Sqlite.Ids;

namespace Grid.Storage.Sqlite;

/// <inheritdoc cref="ISessionStore"/>
internal sealed partial class SqliteSessionStore(SqliteDatabase database, SqliteWriter writer) : ISessionStore
{
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken)
    {
        try
        {
            Storable.Require(key);
            return new ValueTask<SessionRecord?>(database.Read(statements =>
            {
                using var row = statements.With(SessionSql.Read, Bytes(key.Handle.Id), key.App.ToString(), key.Handle.TenantId).ExecuteReader();
                return row.Read() ? ToRecord(key, row) : null;
            }));
        }
        catch (Exception failure)
        {
            return ValueTask.FromException<SessionRecord?>(failure);
        }
    }

    public ValueTask<bool> InsertAsync(SessionRecord session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        Storable.Require(session);
        return WriteAsync(statements =>
        {
            statements.With(SessionSql.EnsureEpoch, session.Key.App.ToString(), session.UserId, session.Key.Handle.TenantId).ExecuteNonQuery();
            return Insert(statements, session);
        });
    }

    public ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        Storable.Require(session);
        return WriteAsync(statements => statements.With(
            SessionSql.Update, Bytes(session.Key.Handle.Id), session.Key.App.ToString(), session.Key.Handle.TenantId, session.Version,
            session.Chain.Current.ToArray(), session.Chain.Previous?.ToArray(),
            session.Chain.RotatedAt is { } rotatedAt ? Time(rotatedAt) : null, session.PayloadJson, session.DataJson,
            session.UseDynamicKey ? 1 : 0, Time(session.ExpiresAt), ExpiryHour.After(session.ExpiresAt)).ExecuteNonQuery() == 1);
    }

    public ValueTask<ImmutableArray<SessionHandle>> ListAsync(
        AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken) => ListAsync(SessionSql.List, app, tenantId, userId, now);

    public ValueTask<ImmutableArray<SessionHandle>> ListOfRecipeUserAsync(
        AppKey app, string? tenantId, string recipeUserId, DateTimeOffset now, CancellationToken cancellationToken) => ListAsync(SessionSql.ListOfRecipeUser, app, tenantId, recipeUserId, now);

    private ValueTask<ImmutableArray<SessionHandle>> ListAsync(string sql, AppKey app, string? tenantId, string userId, DateTimeOffset now)
    {
        Storable.Require(app, tenantId, userId);
        return new(Task.FromResult(database.Read(statements =>
        {
            var handles = ImmutableArray.CreateBuilder<SessionHandle>();
            using var rows = statements.With(sql, app.ToString(), userId, tenantId, Time(now)).ExecuteReader();
            while (rows.Read())
            {
                handles.Add(new SessionHandle(Id(rows, 0), rows.GetString(1)));
            }

            return handles.ToImmutable();
        })));
    }

    public ValueTask<ImmutableArray<AppKey>> ListAppsAsync(CancellationToken cancellationToken) => new(Task.FromResult(database.Read(statements =>
    {
        var apps = ImmutableArray.CreateBuilder<AppKey>();
        using var rows = statements.With(SessionSql.ListApps).ExecuteReader();
        while (rows.Read())
        {
            apps.Add(AppKey.Parse(rows.GetString(0)));
        }

        return apps.ToImmutable();
    })));

    public ValueTask<RevokedSessions> RevokeAsync(
        RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        Storable.Require(scope);
        return WriteAsync(statements => scope switch
        {
            RevocationScope.Named named => RevokeNamed(statements, named, reason, now),
            RevocationScope.User user => RevokeUser(statements, user, reason, now),
            RevocationScope.Tenant tenant => RevokeTenant(statements, scope.App, tenant.TenantId, tenant.IsBeingMade, reason, now),
            RevocationScope.WholeApp app => RevokeTenant(statements, scope.App, null, app.IsBeingMade, reason, now),
            RevocationScope.SigningKey key => new RevokedSessions([], [.. Log(statements, RevocationKind.SigningKey, scope.App, null, null, key.Kid, reason, now)]),
            _ => throw new ArgumentException($"Unknown scope {scope.GetType().Name}.", nameof(scope)),
        });
    }

    public ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        WriteAsync(statements => statements.With(SessionSql.PurgeExpired, ExpiryHour.Passed(now), Time(now), limit).ExecuteNonQuery());

    public ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        WriteAsync(statements => statements.With(SessionSql.PurgeRevocations, Time(before), limit).ExecuteNonQuery());

    public ValueTask PingAsync(CancellationToken cancellationToken)
    {
        database.Read(statements => statements.With("SELECT 1").ExecuteScalar());
        return ValueTask.CompletedTask;
    }

    // The caller's cancellation does not apply to the commit, which it could not undo.
    private ValueTask<T> WriteAsync<T>(Func<SqliteStatements, T> write) => new(writer.WriteAsync(write));

    private static bool Insert(SqliteStatements statements, SessionRecord session) => statements.With(
        SessionSql.Insert, Bytes(session.Key.Handle.Id), session.Key.App.ToString(), session.Key.Handle.TenantId, session.UserId, session.Chain.Current.ToArray(),
        session.PayloadJson, session.DataJson, session.UseDynamicKey ? 1 : 0, Time(session.CreatedAt), Time(session.ExpiresAt),
        ExpiryHour.After(session.ExpiresAt), session.RecipeUserId).ExecuteNonQuery() == 1;

    private static RevokedSessions RevokeNamed(SqliteStatements statements, RevocationScope.Named named, RevocationReason reason, DateTimeOffset now)
    {
        var app = named.App.ToString();
        var ended = ImmutableArray.CreateBuilder<SessionHandle>();
        var entries = ImmutableArray.CreateBuilder<RevocationEntry>();
        foreach (var handle in named.Sessions.Distinct())
        {
            if (ImportFence.MayCome(handle))
            {
                statements.With(SessionSql.FenceNamed, Bytes(handle.Id), app, handle.TenantId, ImportFence.Until(now)).ExecuteNonQuery();
            }

            statements.With(OrderSql.Delete, app, handle.TenantId, Bytes(handle.Id)).ExecuteNonQuery();
            if (statements.With(SessionSql.DeleteNamed, Bytes(handle.Id), app, handle.TenantId).ExecuteScalar() is not long expiresAt)
            {
                // Naming someone else's sessions writes no entry; a repeated call returns what the first one wrote.
                entries.AddRange(HolderSql.ReadEntries(statements.With(SessionSql.NamedEntry, Bytes(handle.Id), app, handle.TenantId)));
                continue;
            }

            if (expiresAt > Time(now))
            {
                ended.Add(handle);
            }

            entries.AddRange(Log(statements, RevocationKind.Session, named.App, handle.TenantId, Bytes(handle.Id), null, reason, now));
        }

        return new RevokedSessions(ended.ToImmutable(), entries.ToImmutable());
    }

    private static RevokedSessions RevokeUser(SqliteStatements statements, RevocationScope.User user, RevocationReason reason, DateTimeOffset now)
    {
        var app = user.App.ToString();
        var kept = user.Except is { } except ? Bytes(except.Id) : null;
        if (user.TenantId is null)
        {
            statements.With(SessionSql.FenceUser, Bytes(ImportFence.NoteOf(user.App, user.UserId).Handle.Id), app, ImportFence.Until(now)).ExecuteNonQuery();
        }

        _ = user.TenantId is null
            ? statements.With(SessionSql.RaiseUserEpochs, app, user.UserId).ExecuteNonQuery()
            : statements.With(SessionSql.RaiseUserEpoch, app, user.UserId, user.TenantId).ExecuteNonQuery();
        if (kept is not null)
        {
            statements.With(OrderSql.KeepOne, app, user.UserId, user.TenantId, kept, user.Except?.TenantId).ExecuteNonQuery();
            statements.With(SessionSql.KeepOne, app, user.UserId, user.TenantId, kept, user.Except?.TenantId).ExecuteNonQuery();
        }

        var ended = ImmutableArray.CreateBuilder<SessionHandle>();
        using (var rows = statements.With(SessionSql.DeleteUser, app, user.UserId, user.TenantId).ExecuteReader())
        {
            while (rows.Read())
            {
                if (rows.GetInt64(2) > Time(now))
                {
                    ended.Add(new SessionHandle(Id(rows, 0), rows.GetString(1)));
                }
            }
        }

        var entries = HolderSql.ReadEntries(statements.With(
            SessionSql.LogUser, app, user.UserId, user.TenantId, kept, user.Except?.TenantId, (int)reason, Time(now)));
        return new RevokedSessions(ended.ToImmutable(), [.. entries]);
    }

    private static RevokedSessions RevokeTenant(SqliteStatements statements, AppKey app, string? tenantId, bool isBeingMade, RevocationReason reason, DateTimeOffset now)
    {
        var name = app.ToString();
        if (!isBeingMade)
        {
            statements.With(SessionSql.FenceImports, name, tenantId).ExecuteNonQuery();
        }

        statements.With(SessionSql.RaiseTenantEpochs, name, tenantId).ExecuteNonQuery();
        statements.With(SessionSql.DeleteTenant, name, tenantId).ExecuteNonQuery();
        var kind = tenantId is null ? RevocationKind.App : RevocationKind.Tenant;
        return new RevokedSessions([], [.. Log(statements, kind, app, tenantId, null, null, reason, now)]);
    }

    private static List<RevocationEntry> Log(
        SqliteStatements statements, RevocationKind kind, AppKey app, string? tenantId, byte[]? handle, string? kid, RevocationReason reason, DateTimeOffset now) =>
        HolderSql.ReadEntries(statements.With(SessionSql.Log, (int)kind, app.ToString(), tenantId, handle, kid, (int)reason, Time(now)));

    private static SessionRecord ToRecord(SessionKey key, SqliteDataReader row) => new()
    {
        Key = key,
        UserId = row.GetString(0),
        UserEpoch = row.GetInt64(1),
        Version = row.GetInt64(2),
        Chain = new RefreshChain(
            TokenHash.FromBytes(row.GetFieldValue<byte[]>(3)),
            row.IsDBNull(4) ? null : TokenHash.FromBytes(row.GetFieldValue<byte[]>(4)),
            row.IsDBNull(5) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5))),
        PayloadJson = row.GetString(6),
        DataJson = row.GetString(7),
        UseDynamicKey = row.GetInt64(8) != 0,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(9)),
        ExpiresAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(10)),
        RecipeUserId = row.IsDBNull(11) ? null : row.GetString(11),
    };

    private static long Time(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
}
