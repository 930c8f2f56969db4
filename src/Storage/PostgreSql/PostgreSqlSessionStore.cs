using System.Collections.Immutable;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.Telemetry;
using Grid.Revocation.Holders;
using Grid.Storage.Grouping;
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

    public PostgreSqlSessionStore(PostgreSqlDatabase database, GridMetrics metrics, TimeProvider clock)
    {
        _database = database;
        _reads = new(workers: 2, clock, failure => failure is not StoreUnavailableException, ReadGroupAsync, "read");
        _inserts = new(workers: 2, clock, PostgreSqlDatabase.IsRefusal, group => WriteGroupAsync(group, "insert", SessionRows.AppendInserts), "insert");
        _updates = new(workers: 2, clock, PostgreSqlDatabase.IsRefusal, group => WriteGroupAsync(group, "update", SessionRows.AppendUpdates), "update");
        metrics.Queue("store_reads", () => _reads.Length);
        metrics.Queue("store_inserts", () => _inserts.Length);
        metrics.Queue("store_updates", () => _updates.Length);
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

    public ValueTask<ImmutableArray<SessionHandle>> ListAsync(
        AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken) =>
        ListAsync(SessionSql.List, app, tenantId, userId, now, cancellationToken);

    public ValueTask<ImmutableArray<SessionHandle>> ListOfRecipeUserAsync(
        AppKey app, string? tenantId, string recipeUserId, DateTimeOffset now, CancellationToken cancellationToken) =>
        ListAsync(SessionSql.ListOfRecipeUser, app, tenantId, recipeUserId, now, cancellationToken);

    private async ValueTask<ImmutableArray<SessionHandle>> ListAsync(
        string sql, AppKey app, string? tenantId, string userId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        Storable.Require(app, tenantId, userId);
        return await _database.RunAsync(async connection =>
        {
            await using var list = new NpgsqlCommand(sql, connection)
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

    public async ValueTask<ImmutableArray<AppKey>> ListAppsAsync(CancellationToken cancellationToken) => await _database.RunAsync(async connection =>
    {
        await using var list = new NpgsqlCommand(SessionSql.ListApps, connection);
        await using var rows = await list.ExecuteReaderAsync(cancellationToken);
        var apps = ImmutableArray.CreateBuilder<AppKey>();
        while (await rows.ReadAsync(cancellationToken))
        {
            apps.Add(AppKey.Parse(rows.GetString(0)));
        }

        return apps.ToImmutable();
    });

    public async ValueTask<RevokedSessions> RevokeAsync(
        RevocationScope scope, RevocationReason reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        Storable.Require(scope);
        return await _database.RunAsync(async connection =>
        {
            await using var batch = PostgreSqlRevocations.Batch(connection, scope, reason, now);
            await using var rows = await batch.ExecuteReaderAsync(CancellationToken.None);
            return await PostgreSqlRevocations.ReadAsync(rows, now);
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
                var record = SessionRows.Read(rows);
                records.Add(record.Key, record);
            }

            return records;
        }, "read");
        foreach (var work in group)
        {
            work.Complete(found.GetValueOrDefault(work.Key));
        }
    }

    private async Task WriteGroupAsync(
        IReadOnlyList<Grouped<SessionKey, SessionRecord, bool>> group, string operation, Action<NpgsqlBatch, IReadOnlyList<SessionRecord>> fill)
    {
        SessionRecord[] rows = [.. group.Select(w => w.Input).OrderBy(r => r.Key.Handle.Id)];
        var written = await _database.RunAsync(connection => ExecuteAsync(connection, rows, fill), operation);
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

    private Task<int> DeleteAsync(string sql, NpgsqlParameter[] parameters) => _database.RunAsync(async connection =>
    {
        await using var delete = new NpgsqlCommand(sql, connection);

        // A statement that is tried again needs fresh ones.
        delete.Parameters.AddRange(System.Array.ConvertAll(parameters, p => p.Clone()));
        return await delete.ExecuteNonQueryAsync();
    }, "purge");
}
