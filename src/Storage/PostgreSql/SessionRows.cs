using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Tokens;
using Grid.Tokens.Refresh;
using Npgsql;
using NpgsqlTypes;
using static Grid.Storage.PostgreSql.Parameters;

namespace Grid.Storage.PostgreSql;

/// <summary>Session records as rows of <c>grid_session</c>: many in one statement, one array for each column.</summary>
internal static class SessionRows
{
    public static SessionRecord Read(NpgsqlDataReader row) => new()
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
        RecipeUserId = row.IsDBNull(14) ? null : row.GetString(14),
    };

    /// <summary>Before an insert, as a statement of its own.</summary>
    public static NpgsqlBatchCommand EnsureEpochs(IReadOnlyList<SessionRecord> rows) => new(SessionSql.EnsureEpochs)
    {
        Parameters =
        {
            Array(NpgsqlDbType.Text, rows, r => r.Key.App.ToString()),
            Array(NpgsqlDbType.Text, rows, r => r.UserId),
            Array(NpgsqlDbType.Text, rows, r => r.Key.Handle.TenantId),
        },
    };

    public static void AppendInserts(NpgsqlBatch batch, IReadOnlyList<SessionRecord> rows)
    {
        batch.BatchCommands.Add(EnsureEpochs(rows));
        var isLinked = rows.Any(r => r.RecipeUserId is not null);
        var insert = new NpgsqlBatchCommand(isLinked ? SessionSql.InsertLinked : SessionSql.Insert)
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
        };
        if (isLinked)
        {
            insert.Parameters.Add(Array(NpgsqlDbType.Text, rows, r => r.RecipeUserId));
        }

        batch.BatchCommands.Add(insert);
    }

    public static void AppendUpdates(NpgsqlBatch batch, IReadOnlyList<SessionRecord> rows) =>
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
}
