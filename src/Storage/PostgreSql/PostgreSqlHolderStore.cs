using Grid.Revocation;
using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using Npgsql;
using NpgsqlTypes;
using static Grid.Storage.PostgreSql.Parameters;

namespace Grid.Storage.PostgreSql;

/// <inheritdoc cref="IHolderStore"/>
/// <remarks>A cursor is the text of a snapshot.</remarks>
internal sealed class PostgreSqlHolderStore(PostgreSqlDatabase database) : IHolderStore, IHolderRegistry, IServiceStore
{
    public Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(row);
        Storable.Require(row);
        return database.RunReservedAsync(async connection =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.Register)
            {
                Parameters =
                {
                    Id(row.Incarnation), Small((short)row.Kind), Text(row.Name), Text(row.Address),
                    new NpgsqlParameter<int> { TypedValue = (int)row.Lease.TotalMilliseconds }, Small((short)row.Protocol),
                },
            });
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.Begin));
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            var (cursor, entries) = await ReadFeedAsync(rows);
            return new RegisteredHolder(cursor, new LeaseTerms(row.Lease), [.. entries.Select(entry => (entry.App, entry.Kid!))]);
        });
    }

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(renewal);
        return database.RunReservedAsync(async connection =>
        {
            List<(Guid Incarnation, string? App, byte[]? SecretHash)> rowsToRenew = [.. renewal.Others.OrderBy(own => own.Incarnation).Select(own => (own.Incarnation, (string?)own.App, (byte[]?)own.SecretHash))];
            if (renewal.Incarnation is { } silo)
            {
                rowsToRenew.Insert(0, (silo, null, null));
            }

            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.Renew)
            {
                Parameters =
                {
                    Array(NpgsqlDbType.Uuid, rowsToRenew, row => row.Incarnation), Array(NpgsqlDbType.Text, rowsToRenew, row => row.App),
                    Array(NpgsqlDbType.Bytea, rowsToRenew, row => row.SecretHash),
                },
            });
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.Feed) { Parameters = { Text(renewal.Cursor) } });
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            HashSet<Guid> lost = [.. renewal.Incarnations];
            while (await rows.ReadAsync(cancellationToken))
            {
                lost.Remove(rows.GetGuid(0));
            }

            await rows.NextResultAsync(cancellationToken);
            var (cursor, entries) = await ReadFeedAsync(rows);
            database.Condition.Worked();
            return new RenewedHolder(cursor, entries, [.. lost]);
        });
    }

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) => database.RunReservedAsync(async connection =>
    {
        await using var leave = new NpgsqlCommand(HolderSql.Leave, connection) { Parameters = { Id(incarnation) } };
        return await leave.ExecuteNonQueryAsync(cancellationToken);
    });

    // Not on the connections that keep this process fresh, however many strangers come and go.
    public Task<RegisteredService> RegisterServiceAsync(ServiceRegistration registration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(registration);
        var (row, secret, former) = (registration.Row, registration.SecretHash, registration.Former);
        return database.RunAsync(async connection =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.TakeTurn) { Parameters = { Text(row.App) } });
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.RegisterService)
            {
                Parameters =
                {
                    Id(row.Incarnation), Small((short)row.Kind), Text(row.Name), Text(row.Address),
                    new NpgsqlParameter<int> { TypedValue = (int)row.Lease.TotalMilliseconds }, Small((short)row.Protocol), Text(row.App), Hash(secret),
                    Id(former?.Incarnation), Hash(former?.SecretHash), Number(registration.MaxOfApp),
                },
            });
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.LeaveFormer)
            {
                Parameters = { Id(former?.Incarnation), Text(row.App), Hash(former?.SecretHash), Id(row.Incarnation), Hash(secret) },
            });
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.Outcome) { Parameters = { Id(row.Incarnation), Text(row.App), Hash(secret) } });
            batch.BatchCommands.Add(new NpgsqlBatchCommand(HolderSql.Begin));
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            await rows.NextResultAsync(cancellationToken);
            await rows.ReadAsync(cancellationToken);
            var (isThere, isTaken) = (rows.GetBoolean(0), rows.GetBoolean(1));
            await rows.NextResultAsync(cancellationToken);
            var (cursor, entries) = await ReadFeedAsync(rows);
            return isThere
                ? new RegisteredService(new RegisteredHolder(cursor, new LeaseTerms(row.Lease), [.. entries.Select(entry => (entry.App, entry.Kid!))]))
                : new RegisteredService(null, isTaken ? RegistrationRefusal.Taken : RegistrationRefusal.TooManyOfApp);
        });
    }

    public Task<bool> LeaveServiceAsync(OwnRow own, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(own);
        return database.RunAsync(async connection =>
        {
            await using var leave = new NpgsqlCommand(HolderSql.LeaveService, connection) { Parameters = { Id(own.Incarnation), Text(own.App), Hash(own.SecretHash) } };
            return await leave.ExecuteNonQueryAsync(cancellationToken) == 1;
        });
    }

    public Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken) => ListAsync(new NpgsqlCommand(HolderSql.List), cancellationToken);

    public Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken) =>
        ListAsync(new NpgsqlCommand(HolderSql.ListServing) { Parameters = { Text(app) } }, cancellationToken);

    // One for each revocation: these share the sessions' connections.
    private Task<IReadOnlyList<HolderRow>> ListAsync(NpgsqlCommand command, CancellationToken cancellationToken) => database.RunAsync<IReadOnlyList<HolderRow>>(async connection =>
    {
        await using var list = command.Clone();
        list.Connection = connection;
        await using var rows = await list.ExecuteReaderAsync(cancellationToken);
        List<HolderRow> holders = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            holders.Add(new HolderRow
            {
                Incarnation = rows.GetGuid(0),
                Kind = (HolderKind)rows.GetInt16(1),
                Name = rows.GetString(2),
                Address = rows.GetString(3),
                Lease = TimeSpan.FromMilliseconds(rows.GetInt32(4)),
                Counter = rows.GetInt64(5),
                Protocol = rows.GetInt16(6),
                App = rows.IsDBNull(7) ? null : rows.GetString(7),
            });
        }

        return holders;
    }, "list_holders");

    public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken) => database.RunReservedAsync(async connection =>
    {
        await using var remove = new NpgsqlCommand(HolderSql.Remove, connection)
        {
            Parameters = { Id(incarnation), Number(counter) },
        };
        return await remove.ExecuteNonQueryAsync(cancellationToken) == 1;
    });

    private static NpgsqlParameter Hash(byte[]? hash) => new() { NpgsqlDbType = NpgsqlDbType.Bytea, Value = (object?)hash ?? DBNull.Value };

    private static async Task<(string Cursor, IReadOnlyList<RevocationEntry> Entries)> ReadFeedAsync(NpgsqlDataReader rows)
    {
        var cursor = "";
        List<RevocationEntry> entries = [];
        while (await rows.ReadAsync())
        {
            cursor = rows.GetString(0);
            if (!rows.IsDBNull(1))
            {
                entries.Add(HolderSql.ToEntry(rows, 1));
            }
        }

        return (cursor, entries);
    }
}
