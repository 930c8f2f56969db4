using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Storage.Grouping;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Npgsql;
using NpgsqlTypes;
using static Grid.Storage.PostgreSql.Parameters;

namespace Grid.Storage.PostgreSql;

/// <inheritdoc cref="ISessionStore"/>
/// <remarks>Reads, inserts and updates that arrive together share a round trip and a commit (docs/decisions/0002).</remarks>
internal sealed partial class PostgreSqlSessionStore : ISessionStore, IAsyncDisposable
{
    private readonly PostgreSqlDatabase _database;
    private readonly GroupQueue<SessionKey, SessionKey, SessionRecord?> _reads;
    private readonly GroupQueue<SessionKey, SessionRecord, bool> _inserts;
    private readonly GroupQueue<SessionKey, SessionRecord, bool> _updates;

    public PostgreSqlSessionStore(PostgreSqlDatabase database, TimeProvider clock)
    {
        _database = database;
        _reads = new(workers: 2, clock, failure => failure is not StoreUnavailableException, ReadGroupAsync);
        _inserts = new(workers: 2, clock, PostgreSqlDatabase.IsRefusal, group => WriteGroupAsync(group, InsertBatch));
        _updates = new(workers: 2, clock, PostgreSqlDatabase.IsRefusal, group => WriteGroupAsync(group, UpdateBatch));
    }

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken)
    {
        Storable.Require(key);
        return _reads.AddAsync(key, key, cancellationToken);
    }

    public ValueTask<bool> InsertAsync(SessionRecord session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        Storable.Require(session);
        return _inserts.AddAsync(session.Key, session, cancellationToken);
    }

    public ValueTask<bool> UpdateAsync(SessionRecord session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        Storable.Require(session);
        return _updates.AddAsync(session.Key, session, cancellationToken);
    }

    public async ValueTask<ImmutableArray<SessionHandle>> ListAsync(
        AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        Storable.Require(app, tenantId, userId);
        return await _database.RunAsync(async connection =>
        {
            await using var list = new NpgsqlCommand(SessionSql.List, connection)
            {
                Parameters = { Text(app.ToString()), Text(userId), Text(tenantId), Time(now) },
            };
            await using var rows = await list.ExecuteReaderAsync(cancellationToken);
            var handles = ImmutableArray.CreateBuilder<SessionHandle>();
            while (await rows.ReadAsync(cancellationToken))
            {
                handles.Add(new SessionHandle(rows.GetGuid(0), rows.GetString(1)));
            }

            return handles.ToImmutable();
        });
    }

    public async ValueTask<RevokedSessions> RevokeAsync(
        RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        Storable.Require(scope);
        return await _database.RunAsync(async connection =>
        {
            // One batch is one transaction. Epoch rows are locked before session rows, as inserts do.
            await using var batch = new NpgsqlBatch(connection);
            switch (scope)
            {
                case RevocationScope.Named named:
                    AddNamed(batch, named, reason, now);
                    break;
                case RevocationScope.User user:
                    AddUser(batch, user, reason, now);
                    break;
                case RevocationScope.Tenant tenant:
                    AddTenant(batch, scope.App, tenant.TenantId, reason, now);
                    break;
                case RevocationScope.WholeApp:
                    AddTenant(batch, scope.App, null, reason, now);
                    break;
                case RevocationScope.SigningKey key:
                    batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.LogKey)
                    {
                        Parameters = { Text(scope.App.ToString()), Text(key.Kid), Reason(reason), Time(now) },
                    });
                    break;
                default:
                    throw new ArgumentException($"Unknown scope {scope.GetType().Name}.", nameof(scope));
            }

            await using var rows = await batch.ExecuteReaderAsync(CancellationToken.None);
            return await ReadRevokedAsync(rows, now);
        });
    }

    public async ValueTask<int> PurgeExpiredAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        await DeleteAsync(SessionSql.PurgeExpired, [Number(ExpiryHour.Passed(now)), Time(now), Number(limit)]);

    public async ValueTask<int> PurgeRevocationsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        await DeleteAsync(SessionSql.PurgeRevocations, [Time(before), Number(limit)]);

    public async ValueTask PingAsync(CancellationToken cancellationToken) =>
        await _database.RunAsync(async connection =>
        {
            await using var ping = new NpgsqlCommand("SELECT 1", connection);
            return await ping.ExecuteScalarAsync(cancellationToken);
        });

    public async ValueTask DisposeAsync()
    {
        await _reads.DisposeAsync();
        await _inserts.DisposeAsync();
        await _updates.DisposeAsync();
    }

    private async Task ReadGroupAsync(IReadOnlyList<Grouped<SessionKey, SessionKey, SessionRecord?>> group)
    {
        var found = await _database.RunAsync(async connection =>
        {
            await using var read = new NpgsqlCommand(SessionSql.Read, connection)
            {
                Parameters =
                {
                    Array(NpgsqlDbType.Uuid, group, w => w.Key.Handle.Id),
                    Array(NpgsqlDbType.Text, group, w => w.Key.App.ToString()),
                    Array(NpgsqlDbType.Text, group, w => w.Key.Handle.TenantId),
                },
            };
            await using var rows = await read.ExecuteReaderAsync();
            var records = new Dictionary<SessionKey, SessionRecord>(group.Count);
            while (await rows.ReadAsync())
            {
                var record = ToRecord(rows);
                records.Add(record.Key, record);
            }

            return records;
        });
        foreach (var work in group)
        {
            work.Complete(found.GetValueOrDefault(work.Key));
        }
    }

    private async Task WriteGroupAsync(
        IReadOnlyList<Grouped<SessionKey, SessionRecord, bool>> group, Action<NpgsqlBatch, IReadOnlyList<SessionRecord>> fill)
    {
        SessionRecord[] rows = [.. group.Select(w => w.Input).OrderBy(r => r.Key.Handle.Id)];
        var written = await _database.RunAsync(connection => ExecuteAsync(connection, rows, fill));
        _database.Condition.Worked();
        foreach (var work in group)
        {
            work.Complete(written.Contains(work.Key.Name));
        }
    }

    private static async Task<HashSet<SessionName>> ExecuteAsync(
        NpgsqlConnection connection, IReadOnlyList<SessionRecord> rows, Action<NpgsqlBatch, IReadOnlyList<SessionRecord>> fill)
    {
        await using var batch = new NpgsqlBatch(connection);
        fill(batch, rows);
        await using var reader = await batch.ExecuteReaderAsync();
        HashSet<SessionName> written = [];
        do
        {
            while (await reader.ReadAsync())
            {
                written.Add(new SessionName(reader.GetString(1), reader.GetString(2), reader.GetGuid(0)));
            }
        }
        while (await reader.NextResultAsync());
        return written;
    }

    private static void InsertBatch(NpgsqlBatch batch, IReadOnlyList<SessionRecord> rows)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.EnsureEpochs)
        {
            Parameters =
            {
                Array(NpgsqlDbType.Text, rows, r => r.Key.App.ToString()),
                Array(NpgsqlDbType.Text, rows, r => r.UserId),
                Array(NpgsqlDbType.Text, rows, r => r.Key.Handle.TenantId),
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.Insert)
        {
            Parameters =
            {
                Array(NpgsqlDbType.Uuid, rows, r => r.Key.Handle.Id),
                Array(NpgsqlDbType.Text, rows, r => r.Key.App.ToString()),
                Array(NpgsqlDbType.Text, rows, r => r.Key.Handle.TenantId),
                Array(NpgsqlDbType.Text, rows, r => r.UserId),
                Array(NpgsqlDbType.Bytea, rows, r => r.Chain.Current.ToArray()),
                Array(NpgsqlDbType.Text, rows, r => r.PayloadJson),
                Array(NpgsqlDbType.Text, rows, r => r.DataJson),
                Array(NpgsqlDbType.Boolean, rows, r => r.UseDynamicKey),
                Array(NpgsqlDbType.Bigint, rows, r => r.CreatedAt.ToUnixTimeMilliseconds()),
                Array(NpgsqlDbType.Bigint, rows, r => r.ExpiresAt.ToUnixTimeMilliseconds()),
                Array(NpgsqlDbType.Bigint, rows, r => ExpiryHour.After(r.ExpiresAt)),
            },
        });
    }

    private static void UpdateBatch(NpgsqlBatch batch, IReadOnlyList<SessionRecord> rows) =>
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.Update)
        {
            Parameters =
            {
                Array(NpgsqlDbType.Uuid, rows, r => r.Key.Handle.Id),
                Array(NpgsqlDbType.Text, rows, r => r.Key.App.ToString()),
                Array(NpgsqlDbType.Text, rows, r => r.Key.Handle.TenantId),
                Array(NpgsqlDbType.Bigint, rows, r => r.Version),
                Array(NpgsqlDbType.Bytea, rows, r => r.Chain.Current.ToArray()),
                Array(NpgsqlDbType.Bytea, rows, r => r.Chain.Previous?.ToArray()),
                Array(NpgsqlDbType.Bigint, rows, r => r.Chain.RotatedAt?.ToUnixTimeMilliseconds()),
                Array(NpgsqlDbType.Text, rows, r => r.PayloadJson),
                Array(NpgsqlDbType.Text, rows, r => r.DataJson),
                Array(NpgsqlDbType.Boolean, rows, r => r.UseDynamicKey),
                Array(NpgsqlDbType.Bigint, rows, r => r.ExpiresAt.ToUnixTimeMilliseconds()),
                Array(NpgsqlDbType.Bigint, rows, r => ExpiryHour.After(r.ExpiresAt)),
            },
        });

    private static void AddNamed(NpgsqlBatch batch, RevocationScope.Named named, RevocationReason reason, DateTimeOffset now)
    {
        SessionHandle[] handles = [.. named.Sessions.Distinct().OrderBy(h => h.Id)];
        batch.BatchCommands.Add(new NpgsqlBatchCommand(OrderSql.DeleteNamed)
        {
            Parameters = { Text(named.App.ToString()), Array(NpgsqlDbType.Uuid, handles, h => h.Id), Array(NpgsqlDbType.Text, handles, h => h.TenantId) },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.DeleteNamed)
        {
            Parameters =
            {
                Text(named.App.ToString()), Array(NpgsqlDbType.Uuid, handles, h => h.Id), Array(NpgsqlDbType.Text, handles, h => h.TenantId),
                Reason(reason), Time(now),
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.NamedEntries)
        {
            Parameters = { Text(named.App.ToString()), Array(NpgsqlDbType.Uuid, handles, h => h.Id), Array(NpgsqlDbType.Text, handles, h => h.TenantId) },
        });
    }

    private static void AddUser(NpgsqlBatch batch, RevocationScope.User user, RevocationReason reason, DateTimeOffset now)
    {
        var app = user.App.ToString();
        if (user.Except is { } ordered)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(OrderSql.KeepOne)
            {
                Parameters = { Text(app), Text(user.UserId), Text(user.TenantId), Id(ordered.Id), Text(ordered.TenantId) },
            });
        }

        batch.BatchCommands.Add(user.TenantId is null
            ? new NpgsqlBatchCommand(SessionSql.RaiseUserEpochs) { Parameters = { Text(app), Text(user.UserId) } }
            : new NpgsqlBatchCommand(SessionSql.RaiseUserEpoch) { Parameters = { Text(app), Text(user.UserId), Text(user.TenantId) } });
        if (user.Except is { } kept)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.KeepOne)
            {
                Parameters = { Text(app), Text(user.UserId), Text(user.TenantId), Id(kept.Id), Text(kept.TenantId) },
            });
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.DeleteUser)
        {
            Parameters = { Text(app), Text(user.UserId), Text(user.TenantId) },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.LogUser)
        {
            Parameters = { Text(app), Text(user.UserId), Text(user.TenantId), Id(user.Except?.Id), Text(user.Except?.TenantId), Reason(reason), Time(now) },
        });
    }

    private static void AddTenant(NpgsqlBatch batch, AppKey app, string? tenantId, RevocationReason reason, DateTimeOffset now)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.RaiseTenantEpochs) { Parameters = { Text(app.ToString()), Text(tenantId) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.DeleteTenant) { Parameters = { Text(app.ToString()), Text(tenantId) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.LogTenant)
        {
            Parameters = { Text(app.ToString()), Text(tenantId), Reason(reason), Time(now) },
        });
    }

    // Deletes tell of sessions, statements on the log of its entries: their first columns differ in name.
    private static async Task<RevokedSessions> ReadRevokedAsync(NpgsqlDataReader rows, DateTimeOffset now)
    {
        var sessions = ImmutableArray.CreateBuilder<SessionHandle>();
        var entries = ImmutableArray.CreateBuilder<RevocationEntry>();
        do
        {
            var areEntries = rows.FieldCount > 0 && rows.GetName(0) switch
            {
                "position" => true,
                "handle" => false,
                var other => throw new InvalidOperationException($"A revocation's statement returns neither sessions nor entries but {other}."),
            };
            while (await rows.ReadAsync())
            {
                if (areEntries)
                {
                    entries.Add(HolderSql.ToEntry(rows, 0));
                }
                else if (rows.GetInt64(2) > now.ToUnixTimeMilliseconds())
                {
                    sessions.Add(new SessionHandle(rows.GetGuid(0), rows.GetString(1)));
                }
            }
        }
        while (await rows.NextResultAsync());
        return new RevokedSessions(sessions.ToImmutable(), entries.ToImmutable());
    }

    private Task<int> DeleteAsync(string sql, NpgsqlParameter[] parameters) => _database.RunAsync(async connection =>
    {
        await using var delete = new NpgsqlCommand(sql, connection);
        delete.Parameters.AddRange(System.Array.ConvertAll(parameters, p => p.Clone()));
        return await delete.ExecuteNonQueryAsync();
    });

    private static SessionRecord ToRecord(NpgsqlDataReader row) => new()
    {
        Key = new SessionKey(AppKey.Parse(row.GetString(1)), new SessionHandle(row.GetGuid(0), row.GetString(2))),
        UserId = row.GetString(3),
        UserEpoch = row.GetInt64(4),
        Version = row.GetInt64(5),
        Chain = new RefreshChain(
            TokenHash.FromBytes(row.GetFieldValue<byte[]>(6)),
            row.IsDBNull(7) ? null : TokenHash.FromBytes(row.GetFieldValue<byte[]>(7)),
            row.IsDBNull(8) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(8))),
        PayloadJson = row.GetString(9),
        DataJson = row.GetString(10),
        UseDynamicKey = row.GetBoolean(11),
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(12)),
        ExpiresAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(13)),
    };

    private static NpgsqlParameter Reason(RevocationReason reason) => Small((short)reason);
}
