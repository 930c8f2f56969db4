using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Microsoft.Data.Sqlite;

namespace Grid.Storage.Sqlite;

/// <inheritdoc cref="ISessionStore"/>
internal sealed class SqliteSessionStore(SqliteDatabase database) : ISessionStore, IDisposable
{
    private const int KindHandle = 1;
    private const int KindTenant = 3;
    private const int KindApp = 4;

    private readonly SqliteWriter _writer = new(database);

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken)
    {
        try
        {
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
        return WriteAsync(statements =>
        {
            var app = session.Key.App.ToString();
            var tenant = session.Key.Handle.TenantId;
            statements.With(SessionSql.EnsureEpoch, app, session.UserId, tenant).ExecuteNonQuery();
            return statements.With(
                SessionSql.Insert, Bytes(session.Key.Handle.Id), app, tenant, session.UserId, session.Chain.Current.ToArray(),
                session.PayloadJson, session.DataJson, session.UseDynamicKey ? 1 : 0, Time(session.CreatedAt), Time(session.ExpiresAt),
                ExpiryHour.After(session.ExpiresAt)).ExecuteNonQuery() == 1;
        });
    }

    public ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        return WriteAsync(statements => statements.With(
            SessionSql.Update, Bytes(session.Key.Handle.Id), session.Key.App.ToString(), session.Key.Handle.TenantId, session.Version,
            session.Chain.Current.ToArray(), session.Chain.Previous?.ToArray(),
            session.Chain.RotatedAt is { } rotatedAt ? Time(rotatedAt) : null, session.PayloadJson, session.DataJson,
            session.UseDynamicKey ? 1 : 0, Time(session.ExpiresAt), ExpiryHour.After(session.ExpiresAt)).ExecuteNonQuery() == 1);
    }

    public ValueTask<ImmutableArray<SessionHandle>> ListAsync(
        AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken) =>
        new(Task.FromResult(database.Read(statements =>
        {
            var handles = ImmutableArray.CreateBuilder<SessionHandle>();
            using var rows = statements.With(SessionSql.List, app.ToString(), userId, tenantId, Time(now)).ExecuteReader();
            while (rows.Read())
            {
                handles.Add(new SessionHandle(Id(rows, 0), rows.GetString(1)));
            }

            return handles.ToImmutable();
        })));

    public ValueTask<RevokedSessions> RevokeAsync(
        RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken) =>
        WriteAsync(statements => scope switch
        {
            RevocationScope.Named named => RevokeNamed(statements, named, reason, now),
            RevocationScope.User user => RevokeUser(statements, user, reason, now),
            RevocationScope.Tenant tenant => RevokeTenant(statements, scope.App, tenant.TenantId, reason, now),
            RevocationScope.WholeApp => RevokeTenant(statements, scope.App, null, reason, now),
            _ => throw new ArgumentException($"Unknown scope {scope.GetType().Name}.", nameof(scope)),
        });

    public ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        WriteAsync(statements => statements.With(SessionSql.PurgeExpired, ExpiryHour.Passed(now), Time(now), limit).ExecuteNonQuery());

    public ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        WriteAsync(statements => statements.With(SessionSql.PurgeRevocations, Time(before), limit).ExecuteNonQuery());

    public ValueTask PingAsync(CancellationToken cancellationToken)
    {
        database.Read(statements => statements.With("SELECT 1").ExecuteScalar());
        return ValueTask.CompletedTask;
    }

    public void Dispose() => _writer.Dispose();

    // The commit takes a disk's time: nobody waits for it on a caller's token, which could not undo it anyway.
    private ValueTask<T> WriteAsync<T>(Func<SqliteStatements, T> write) => new(_writer.WriteAsync(write));

    private static RevokedSessions RevokeNamed(SqliteStatements statements, RevocationScope.Named named, RevocationReason reason, DateTimeOffset now)
    {
        var app = named.App.ToString();
        var ended = ImmutableArray.CreateBuilder<SessionHandle>();
        var position = 0L;
        foreach (var handle in named.Sessions.Distinct())
        {
            if (statements.With(SessionSql.DeleteNamed, Bytes(handle.Id), app, handle.TenantId).ExecuteScalar() is long expiresAt && expiresAt > Time(now))
            {
                ended.Add(handle);
            }

            position = (long)statements.With(SessionSql.Log, KindHandle, app, handle.TenantId, Bytes(handle.Id), (int)reason, Time(now)).ExecuteScalar()!;
        }

        return new RevokedSessions(ended.ToImmutable(), position);
    }

    private static RevokedSessions RevokeUser(SqliteStatements statements, RevocationScope.User user, RevocationReason reason, DateTimeOffset now)
    {
        var app = user.App.ToString();
        var kept = user.Except is { } except ? Bytes(except.Id) : null;
        _ = user.TenantId is null
            ? statements.With(SessionSql.RaiseUserEpochs, app, user.UserId).ExecuteNonQuery()
            : statements.With(SessionSql.RaiseUserEpoch, app, user.UserId, user.TenantId).ExecuteNonQuery();
        if (kept is not null)
        {
            statements.With(SessionSql.KeepOne, app, user.UserId, user.TenantId, kept).ExecuteNonQuery();
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

        var position = 0L;
        using (var rows = statements.With(SessionSql.LogUser, app, user.UserId, user.TenantId, kept, (int)reason, Time(now)).ExecuteReader())
        {
            while (rows.Read())
            {
                position = rows.GetInt64(0);
            }
        }

        return new RevokedSessions(ended.ToImmutable(), position);
    }

    private static RevokedSessions RevokeTenant(SqliteStatements statements, AppKey app, string? tenantId, RevocationReason reason, DateTimeOffset now)
    {
        var name = app.ToString();
        statements.With(SessionSql.RaiseTenantEpochs, name, tenantId).ExecuteNonQuery();
        statements.With(SessionSql.DeleteTenant, name, tenantId).ExecuteNonQuery();
        var kind = tenantId is null ? KindApp : KindTenant;
        var position = (long)statements.With(SessionSql.Log, kind, name, tenantId, null, (int)reason, Time(now)).ExecuteScalar()!;
        return new RevokedSessions([], position);
    }

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
    };

    // Big-endian: version 7 ids sort by time, and the index grows at its end.
    private static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);

    private static Guid Id(SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);

    private static long Time(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
}
