using Grid.Abstractions.Sessions;
using Npgsql;
using NpgsqlTypes;
using static Grid.Storage.PostgreSql.Parameters;

namespace Grid.Storage.PostgreSql;

internal sealed partial class PostgreSqlSessionStore
{
    public async ValueTask OrderAsync(SessionOrder order, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        Storable.Require(order.Key.App, order.Key.Handle.TenantId, order.UserId);
        var (app, handle) = (order.Key.App.ToString(), order.Key.Handle);
        await _database.RunAsync(async connection =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new NpgsqlBatchCommand(OrderSql.EnsureEpoch) { Parameters = { Text(app), Text(order.UserId), Text(handle.TenantId) } });
            batch.BatchCommands.Add(new NpgsqlBatchCommand(OrderSql.Add)
            {
                Parameters = { Text(app), Text(order.UserId), Text(handle.TenantId), Id(handle.Id), Time(order.ExpiresAt) },
            });
            return await batch.ExecuteNonQueryAsync(CancellationToken.None);
        });
    }

    public async ValueTask<bool> InsertOrderedAsync(SessionRecord session, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        Storable.Require(session);
        return await _database.RunAsync(async connection =>
        {
            await using var insert = new NpgsqlCommand(OrderSql.Insert, connection)
            {
                Parameters =
                {
                    Id(session.Key.Handle.Id), Text(session.Key.App.ToString()), Text(session.Key.Handle.TenantId), Text(session.UserId),
                    new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bytea, Value = session.Chain.Current.ToArray() },
                    Text(session.PayloadJson), Text(session.DataJson),
                    new NpgsqlParameter<bool> { NpgsqlDbType = NpgsqlDbType.Boolean, TypedValue = session.UseDynamicKey },
                    Time(session.CreatedAt), Time(session.ExpiresAt), Number(ExpiryHour.After(session.ExpiresAt)), Time(now), Text(session.RecipeUserId),
                },
            };
            return await insert.ExecuteScalarAsync(CancellationToken.None) is not null;
        });
    }

    public async ValueTask<int> PurgeOrdersAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        await DeleteAsync(OrderSql.Purge, [Time(now), Number(limit)]);
}
