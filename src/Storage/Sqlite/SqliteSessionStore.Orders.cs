using Grid.Abstractions.Sessions;
using static Grid.Storage.Sqlite.Ids;

namespace Grid.Storage.Sqlite;

internal sealed partial class SqliteSessionStore
{
    public async ValueTask OrderAsync(SessionOrder order, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        Storable.Require(order.Key.App, order.Key.Handle.TenantId, order.UserId);
        var (app, handle) = (order.Key.App.ToString(), order.Key.Handle);
        await WriteAsync(statements =>
        {
            statements.With(SessionSql.EnsureEpoch, app, order.UserId, handle.TenantId).ExecuteNonQuery();
            return statements.With(OrderSql.Add, app, handle.TenantId, Bytes(handle.Id), order.UserId, Time(order.ExpiresAt)).ExecuteNonQuery();
        });
    }

    public ValueTask<bool> InsertOrderedAsync(SessionRecord session, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        Storable.Require(session);
        var (app, handle) = (session.Key.App.ToString(), session.Key.Handle);
        return WriteAsync(statements =>
            statements.With(OrderSql.Use, app, handle.TenantId, Bytes(handle.Id), session.UserId, Time(now)).ExecuteScalar() is 1L && Insert(statements, session));
    }

    public ValueTask<int> PurgeOrdersAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) =>
        WriteAsync(statements => statements.With(OrderSql.Purge, Time(now), limit).ExecuteNonQuery());
}
