using System.Collections.Immutable;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Grid.Abstractions.SigningKeys;
using Grid.Storage.Importing;
using static Grid.Storage.Sqlite.Ids;

namespace Grid.Storage.Sqlite;

/// <inheritdoc cref="IImportStore"/>
internal sealed class SqliteImportStore(SqliteDatabase database, SqliteWriter writer) : IImportStore
{
    public Task<ImportProgress?> ReadProgressAsync(string source, CancellationToken cancellationToken) => ReadAsync(statements =>
    {
        using var row = statements.With("SELECT app, tenant, handle, complete FROM grid_import WHERE source = @p0", source).ExecuteReader();
        return row.Read() ? new ImportProgress(source, row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3) != 0) : null;
    });

    public Task<ImportedSessions> AddAsync(IReadOnlyList<SessionRecord> sessions, ImportProgress? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sessions);
        foreach (var session in sessions)
        {
            Storable.Require(session);
        }

        return writer.WriteAsync(statements =>
        {
            ImportedSessions total = default;
            foreach (var session in sessions)
            {
                total += Add(statements, session);
            }

            if (progress is not null)
            {
                statements.With(ImportSql.KeepProgress, progress.Source, progress.App, progress.Tenant, progress.Handle, progress.IsComplete ? 1 : 0).ExecuteNonQuery();
            }

            return total;
        });
    }

    public Task<IReadOnlySet<SessionKey>> FindKnownAsync(IReadOnlyList<SessionKey> keys, CancellationToken cancellationToken) => ReadAsync<IReadOnlySet<SessionKey>>(statements =>
        keys.Where(key => statements.With(ImportSql.Find, Bytes(key.Handle.Id), key.App.ToString(), key.Handle.TenantId).ExecuteScalar() is not null).ToHashSet());

    public Task<int> StageKeysAsync(string app, IReadOnlyList<StoredKey> keys, CancellationToken cancellationToken) => writer.WriteAsync(statements => keys.Sum(key =>
        statements.With(ImportSql.StageKey, app, key.Kid, (int)key.Kind, Time(key.SignsFrom), key.VerifiesUntil is { } end ? Time(end) : null, key.Secret).ExecuteNonQuery()));

    public Task<IReadOnlySet<string>> ReadKeyIdsAsync(string app, CancellationToken cancellationToken) => ReadAsync<IReadOnlySet<string>>(statements =>
    {
        HashSet<string> kids = new(StringComparer.Ordinal);
        using var row = statements.With("SELECT kid FROM grid_imported_key WHERE app = @p0", app).ExecuteReader();
        while (row.Read())
        {
            kids.Add(row.GetString(0));
        }

        return kids;
    });

    public Task<ImmutableArray<StoredKey>> ReadStagedKeysAsync(string app, CancellationToken cancellationToken) => ReadAsync(statements =>
    {
        var keys = ImmutableArray.CreateBuilder<StoredKey>();
        using var row = statements.With(ImportSql.ReadStagedKeys, app).ExecuteReader();
        while (row.Read())
        {
            keys.Add(new StoredKey
            {
                Kid = row.GetString(0),
                Kind = (KeyKind)row.GetInt64(1),
                SignsFrom = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)),
                VerifiesUntil = row.IsDBNull(3) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
                Secret = row.GetFieldValue<byte[]>(4),
            });
        }

        return keys.ToImmutable();
    });

    public Task<IReadOnlyList<string>> ReadStagedAppsAsync(CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<string>>(statements =>
    {
        List<string> apps = [];
        using var row = statements.With(ImportSql.ReadStagedApps).ExecuteReader();
        while (row.Read())
        {
            apps.Add(row.GetString(0));
        }

        return apps;
    });

    public Task<bool> ReplaceStagedKeyAsync(string app, StoredKey key, byte[] former, CancellationToken cancellationToken) => writer.WriteAsync(statements =>
        statements.With(ImportSql.ReplaceStagedKey, app, key.Kid, key.Secret, former).ExecuteNonQuery() == 1);

    public Task SettleKeysAsync(string app, IReadOnlyList<string>? kids, CancellationToken cancellationToken) => writer.WriteAsync(statements => kids is null
        ? statements.With(ImportSql.SettleAllKeys, app).ExecuteNonQuery()
        : kids.Sum(kid => statements.With(ImportSql.SettleKey, app, kid).ExecuteNonQuery()));

    public Task<int> PurgeAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        writer.WriteAsync(statements => statements.With(ImportSql.Purge, Time(before), limit).ExecuteNonQuery());

    private static ImportedSessions Add(SqliteStatements statements, SessionRecord session)
    {
        var (id, app, tenant) = (Bytes(session.Key.Handle.Id), session.Key.App.ToString(), session.Key.Handle.TenantId);
        var (current, previous) = (session.Chain.Current.ToArray(), session.Chain.Previous?.ToArray());
        object? rotatedAt = session.Chain.RotatedAt is { } at ? Time(at) : null;
        if (statements.With(ImportSql.Note, id, app, tenant, Time(session.ExpiresAt)).ExecuteNonQuery() == 1)
        {
            statements.With(SessionSql.EnsureEpoch, app, session.UserId, tenant).ExecuteNonQuery();
            var added = statements.With(
                ImportSql.Add, id, app, tenant, session.UserId, current, previous, rotatedAt, session.PayloadJson, session.DataJson, session.UseDynamicKey ? 1 : 0,
                Time(session.CreatedAt), Time(session.ExpiresAt), ExpiryHour.After(session.ExpiresAt), Bytes(ImportFence.NoteOf(session.Key.App, session.UserId).Handle.Id),
                session.RecipeUserId, Bytes(ImportFence.NoteOf(session.Key.App, ImportFence.AccountOf(session)).Handle.Id)).ExecuteNonQuery();
            return new ImportedSessions(added, 0, 1 - added, 0);
        }

        var renewed = statements.With(
            ImportSql.Renew, id, app, tenant, session.UserId, current, previous, rotatedAt, session.PayloadJson, session.DataJson, session.UseDynamicKey ? 1 : 0,
            Time(session.ExpiresAt), ExpiryHour.After(session.ExpiresAt), session.RecipeUserId).ExecuteNonQuery();
        if (renewed == 1)
        {
            statements.With(ImportSql.NoteRenewed, id, app, tenant).ExecuteNonQuery();
        }

        statements.With(ImportSql.KeepNote, id, app, tenant, Time(session.ExpiresAt)).ExecuteNonQuery();

        return new ImportedSessions(0, renewed, 0, 1 - renewed);
    }

    private static long Time(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    private Task<T> ReadAsync<T>(Func<SqliteStatements, T> read)
    {
        try
        {
            return Task.FromResult(database.Read(read, "read_import"));
        }
        catch (Exception failure)
        {
            return Task.FromException<T>(failure);
        }
    }
}
