using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Storage.Importing;
using Npgsql;
using NpgsqlTypes;
using static Grid.Storage.PostgreSql.Parameters;

namespace Grid.Storage.PostgreSql;

/// <inheritdoc cref="IImportStore"/>
internal sealed class PostgreSqlImportStore(PostgreSqlDatabase database) : IImportStore
{
    public Task<ImportProgress?> ReadProgressAsync(string source, CancellationToken cancellationToken) => database.RunReservedAsync(async connection =>
    {
        await using var read = new NpgsqlCommand(ImportSql.ReadProgress, connection) { Parameters = { Text(source) } };
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? new ImportProgress(source, row.GetString(0), row.GetString(1), row.GetString(2), row.GetBoolean(3)) : null;
    }, "read_import");

    public async Task<ImportedSessions> AddAsync(IReadOnlyList<SessionRecord> sessions, ImportProgress? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sessions);
        SessionRecord[] rows = [.. sessions.OrderBy(session => session.Key.Handle.Id)];
        foreach (var row in rows)
        {
            Storable.Require(row);
        }

        var notes = ImportFence.NotesOf(rows);
        return await database.RunAsync(async connection =>
        {
            await using var batch = new NpgsqlBatch(connection);
            if (rows.Length > 0)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(ImportSql.LookUpByIndex));
                batch.BatchCommands.Add(WithTenants(ImportSql.EnsureFences, rows));
                batch.BatchCommands.Add(WithTenants(ImportSql.ShareFences, rows));
                batch.BatchCommands.Add(WithUsers(ImportSql.HoldUsers, notes));
                batch.BatchCommands.Add(SessionRows.EnsureEpochs([.. rows, .. ImportFence.ByAccount(rows)]));
                batch.BatchCommands.Add(WithRows(ImportSql.Add, rows));
                batch.BatchCommands.Add(WithRows(ImportSql.Renew, rows));
                batch.BatchCommands.Add(WithRows(ImportSql.KeepNotes, rows));
                batch.BatchCommands.Add(WithUsers(ImportSql.LetUsersGo, notes));
            }

            if (progress is not null)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(ImportSql.KeepProgress)
                {
                    Parameters =
                    {
                        Text(progress.Source), Text(progress.App), Text(progress.Tenant), Text(progress.Handle),
                        new NpgsqlParameter<bool> { NpgsqlDbType = NpgsqlDbType.Boolean, TypedValue = progress.IsComplete },
                    },
                });
            }

            if (batch.BatchCommands.Count == 0)
            {
                return default;
            }

            var (noted, added, renewed) = (0, 0, 0);
            await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None);
            do
            {
                while (await reader.ReadAsync(CancellationToken.None))
                {
                    // Sessions that were renewed come by their handle alone, fences and settings with three columns.
                    switch (reader.FieldCount)
                    {
                        case 1:
                            renewed++;
                            break;
                        case 2:
                            (noted, added) = (reader.GetInt32(0), reader.GetInt32(1));
                            break;
                    }
                }
            }
            while (await reader.NextResultAsync(CancellationToken.None));
            return new ImportedSessions(added, renewed, noted - added, rows.Length - noted - renewed);
        }, "import");
    }

    public Task<IReadOnlySet<SessionKey>> FindKnownAsync(IReadOnlyList<SessionKey> keys, CancellationToken cancellationToken)
    {
        foreach (var key in keys)
        {
            Storable.Require(key);
        }

        return database.RunAsync<IReadOnlySet<SessionKey>>(async connection =>
        {
            await using var read = new NpgsqlCommand(ImportSql.FindKnown, connection)
            {
                Parameters =
                {
                    Array(NpgsqlDbType.Uuid, keys, key => key.Handle.Id), Array(NpgsqlDbType.Text, keys, key => key.App.ToString()),
                    Array(NpgsqlDbType.Text, keys, key => key.Handle.TenantId),
                },
            };
            await using var row = await read.ExecuteReaderAsync(cancellationToken);
            HashSet<SessionKey> known = [];
            while (await row.ReadAsync(cancellationToken))
            {
                known.Add(new SessionKey(AppKey.Parse(row.GetString(1)), new SessionHandle(row.GetGuid(0), row.GetString(2))));
            }

            return known;
        }, "read_import");
    }

    public Task<int> StageKeysAsync(string app, IReadOnlyList<StoredKey> keys, CancellationToken cancellationToken) => keys.Count == 0 ? Task.FromResult(0) : database.RunReservedAsync(async connection =>
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var key in keys)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(ImportSql.StageKey)
            {
                Parameters =
                {
                    Text(app), Text(key.Kid), Small((short)key.Kind), Time(key.SignsFrom),
                    new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bigint, Value = key.VerifiesUntil is { } end ? end.ToUnixTimeMilliseconds() : DBNull.Value },
                    new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bytea, Value = key.Secret },
                },
            });
        }

        return await batch.ExecuteNonQueryAsync(CancellationToken.None);
    }, "import_keys");

    public Task<IReadOnlySet<string>> ReadKeyIdsAsync(string app, CancellationToken cancellationToken) => database.RunReservedAsync<IReadOnlySet<string>>(async connection =>
    {
        await using var read = new NpgsqlCommand(ImportSql.ReadKeyIds, connection) { Parameters = { Text(app) } };
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        HashSet<string> kids = new(StringComparer.Ordinal);
        while (await row.ReadAsync(cancellationToken))
        {
            kids.Add(row.GetString(0));
        }

        return kids;
    }, "import_keys");

    public Task<ImmutableArray<StoredKey>> ReadStagedKeysAsync(string app, CancellationToken cancellationToken) => database.RunReservedAsync(async connection =>
    {
        await using var read = new NpgsqlCommand(ImportSql.ReadStagedKeys, connection) { Parameters = { Text(app) } };
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        var keys = ImmutableArray.CreateBuilder<StoredKey>();
        while (await row.ReadAsync(cancellationToken))
        {
            keys.Add(new StoredKey
            {
                Kid = row.GetString(0),
                Kind = (KeyKind)row.GetInt16(1),
                SignsFrom = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)),
                VerifiesUntil = row.IsDBNull(3) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
                Secret = row.GetFieldValue<byte[]>(4),
            });
        }

        return keys.ToImmutable();
    }, "import_keys");

    public Task<IReadOnlyList<string>> ReadStagedAppsAsync(CancellationToken cancellationToken) => database.RunReservedAsync<IReadOnlyList<string>>(async connection =>
    {
        await using var read = new NpgsqlCommand(ImportSql.ReadStagedApps, connection);
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        List<string> apps = [];
        while (await row.ReadAsync(cancellationToken))
        {
            apps.Add(row.GetString(0));
        }

        return apps;
    }, "import_keys");

    public Task<bool> ReplaceStagedKeyAsync(string app, StoredKey key, byte[] former, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return database.RunReservedAsync(async connection =>
        {
            await using var replace = new NpgsqlCommand(ImportSql.ReplaceStagedKey, connection)
            {
                Parameters = { Text(app), Text(key.Kid), new NpgsqlParameter<byte[]> { TypedValue = key.Secret }, new NpgsqlParameter<byte[]> { TypedValue = former } },
            };
            return await replace.ExecuteNonQueryAsync(CancellationToken.None) == 1;
        }, "import_keys");
    }

    public Task SettleKeysAsync(string app, IReadOnlyList<string>? kids, CancellationToken cancellationToken) => database.RunReservedAsync(async connection =>
    {
        await using var settle = new NpgsqlCommand(ImportSql.SettleKeys, connection)
        {
            Parameters = { Text(app), new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text, Value = kids is null ? DBNull.Value : kids.ToArray() } },
        };
        return await settle.ExecuteNonQueryAsync(CancellationToken.None);
    }, "import_keys");

    public Task<int> PurgeAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) => database.RunAsync(async connection =>
    {
        await using var delete = new NpgsqlCommand(ImportSql.Purge, connection) { Parameters = { Time(before), Number(limit) } };
        return await delete.ExecuteNonQueryAsync(CancellationToken.None);
    }, "purge");

    private static NpgsqlBatchCommand WithTenants(string sql, IReadOnlyList<SessionRecord> rows) => new(sql)
    {
        Parameters = { Array(NpgsqlDbType.Text, rows, r => r.Key.App.ToString()), Array(NpgsqlDbType.Text, rows, r => r.Key.Handle.TenantId) },
    };

    private static NpgsqlBatchCommand WithUsers(string sql, IReadOnlyList<SessionKey> notes) => new(sql)
    {
        Parameters = { Array(NpgsqlDbType.Uuid, notes, note => note.Handle.Id), Array(NpgsqlDbType.Text, notes, note => note.App.ToString()) },
    };

    private static NpgsqlBatchCommand WithRows(string sql, IReadOnlyList<SessionRecord> rows) => new(sql)
    {
        Parameters =
        {
            Array(NpgsqlDbType.Uuid, rows, r => r.Key.Handle.Id),
            Array(NpgsqlDbType.Text, rows, r => r.Key.App.ToString()),
            Array(NpgsqlDbType.Text, rows, r => r.Key.Handle.TenantId),
            Array(NpgsqlDbType.Text, rows, r => r.UserId),
            Array(NpgsqlDbType.Bytea, rows, r => r.Chain.Current.ToArray()),
            Array(NpgsqlDbType.Bytea, rows, r => r.Chain.Previous?.ToArray()),
            Array(NpgsqlDbType.Bigint, rows, r => r.Chain.RotatedAt?.ToUnixTimeMilliseconds()),
            Array(NpgsqlDbType.Text, rows, r => r.PayloadJson),
            Array(NpgsqlDbType.Text, rows, r => r.DataJson),
            Array(NpgsqlDbType.Boolean, rows, r => r.UseDynamicKey),
            Array(NpgsqlDbType.Bigint, rows, r => r.CreatedAt.ToUnixTimeMilliseconds()),
            Array(NpgsqlDbType.Bigint, rows, r => r.ExpiresAt.ToUnixTimeMilliseconds()),
            Array(NpgsqlDbType.Bigint, rows, r => ExpiryHour.After(r.ExpiresAt)),
            Array(NpgsqlDbType.Uuid, rows, r => ImportFence.NoteOf(r.Key.App, r.UserId).Handle.Id),
            Array(NpgsqlDbType.Text, rows, r => r.RecipeUserId),
            Array(NpgsqlDbType.Uuid, rows, r => ImportFence.NoteOf(r.Key.App, ImportFence.AccountOf(r)).Handle.Id),
        },
    };
}
