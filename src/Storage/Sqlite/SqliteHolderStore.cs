using System.Globalization;
using Grid.Revocation;
using Grid.Revocation.Registry;
using Microsoft.Data.Sqlite;
using static Grid.Storage.Sqlite.Ids;

namespace Grid.Storage.Sqlite;

/// <inheritdoc cref="IHolderStore"/>
/// <remarks>A cursor is a position.</remarks>
internal sealed class SqliteHolderStore(SqliteDatabase database, SqliteWriter writer) : IHolderStore, IHolderRegistry, IServiceStore
{
    // Only this process uses the file, so any silo found in it is a past one.
    private bool _isFirst = true;

    public async Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(row);
        Storable.Require(row);
        var forgetsSilos = _isFirst && row.Kind == HolderKind.Silo;
        var registered = await writer.WriteAsync(statements =>
        {
            if (forgetsSilos)
            {
                statements.With(HolderSql.ForgetSilos).ExecuteNonQuery();
            }

            statements.With(
                HolderSql.Register, Bytes(row.Incarnation), (int)row.Kind, row.Name, row.Address, (int)row.Lease.TotalMilliseconds, row.Protocol).ExecuteNonQuery();
            return Begin(statements, row);
        });
        _isFirst &= !forgetsSilos;
        return registered;
    }

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(renewal);
        return writer.WriteAsync(statements =>
        {
            List<Guid> lost = [];
            if (renewal.Incarnation is { } silo && statements.With(HolderSql.Renew, Bytes(silo), null, null).ExecuteNonQuery() == 0)
            {
                lost.Add(silo);
            }

            foreach (var own in renewal.Others)
            {
                if (statements.With(HolderSql.Renew, Bytes(own.Incarnation), own.App, own.SecretHash).ExecuteNonQuery() == 0)
                {
                    lost.Add(own.Incarnation);
                }
            }

            var cursor = long.Parse(renewal.Cursor, CultureInfo.InvariantCulture);
            if ((long)statements.With(HolderSql.LastPosition).ExecuteScalar()! < cursor)
            {
                // An older copy was restored under this process: new entries would get positions that count as read.
                return new RenewedHolder(renewal.Cursor, [], [.. renewal.Incarnations]);
            }

            var entries = HolderSql.ReadEntries(statements.With(HolderSql.Feed, cursor));
            return new RenewedHolder(entries.Count == 0 ? renewal.Cursor : Text(entries[^1].Position), entries, lost);
        });
    }

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken) =>
        writer.WriteAsync(statements => statements.With(HolderSql.Leave, Bytes(incarnation)).ExecuteNonQuery());

    public Task<RegisteredService> RegisterServiceAsync(ServiceRegistration registration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(registration);
        var (row, former) = (registration.Row, registration.Former);
        return writer.WriteAsync(statements =>
        {
            // Services choose these ids, and are not trusted. The former row still counts unless it leaves.
            var isThere = statements.With(
                HolderSql.RegisterService, Bytes(row.Incarnation), (int)row.Kind, row.Name, row.Address, (int)row.Lease.TotalMilliseconds, row.Protocol, row.App,
                registration.SecretHash, former is null ? null : Bytes(former.Incarnation), former?.SecretHash, registration.MaxOfApp).ExecuteNonQuery() == 1;
            if (!isThere)
            {
                var isTaken = statements.With(HolderSql.IsTaken, Bytes(row.Incarnation)).ExecuteScalar() is not null;
                return new RegisteredService(null, isTaken ? RegistrationRefusal.Taken : RegistrationRefusal.TooManyOfApp);
            }

            if (former is not null)
            {
                Leave(statements, former);
            }

            return new RegisteredService(Begin(statements, row));
        });
    }

    public Task<bool> LeaveServiceAsync(OwnRow own, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(own);
        return writer.WriteAsync(statements => Leave(statements, own));
    }

    public Task<IReadOnlyList<HolderRow>> ListAsync(CancellationToken cancellationToken) => ListAsync(statements => statements.With(HolderSql.List));

    public Task<IReadOnlyList<HolderRow>> ListServingAsync(string app, CancellationToken cancellationToken) =>
        ListAsync(statements => statements.With(HolderSql.ListServing, app));

    private Task<IReadOnlyList<HolderRow>> ListAsync(Func<SqliteStatements, SqliteCommand> list)
    {
        try
        {
            return Task.FromResult(database.Read(statements => Read(list(statements)), "list_holders"));
        }
        catch (Exception failure)
        {
            return Task.FromException<IReadOnlyList<HolderRow>>(failure);
        }
    }

    public Task<bool> RemoveAsync(Guid incarnation, long counter, CancellationToken cancellationToken) =>
        writer.WriteAsync(statements => statements.With(HolderSql.Remove, Bytes(incarnation), counter).ExecuteNonQuery() == 1);

    private static RegisteredHolder Begin(SqliteStatements statements, HolderRow row) => new(
        Head(statements), new LeaseTerms(row.Lease),
        [.. HolderSql.ReadEntries(statements.With(HolderSql.RevokedKeys)).Select(entry => (entry.App, entry.Kid!))]);

    private static bool Leave(SqliteStatements statements, OwnRow own) =>
        statements.With(HolderSql.LeaveService, Bytes(own.Incarnation), own.App, own.SecretHash).ExecuteNonQuery() == 1;

    private static IReadOnlyList<HolderRow> Read(SqliteCommand list)
    {
        List<HolderRow> holders = [];
        using var row = list.ExecuteReader();
        while (row.Read())
        {
            holders.Add(new HolderRow
            {
                Incarnation = Id(row, 0),
                Kind = (HolderKind)row.GetInt32(1),
                Name = row.GetString(2),
                Address = row.GetString(3),
                Lease = TimeSpan.FromMilliseconds(row.GetInt64(4)),
                Counter = row.GetInt64(5),
                Protocol = row.GetInt32(6),
                App = row.IsDBNull(7) ? null : row.GetString(7),
            });
        }

        return holders;
    }

    private static string Head(SqliteStatements statements) => Text((long)statements.With(HolderSql.Head).ExecuteScalar()!);

    private static string Text(long position) => position.ToString(CultureInfo.InvariantCulture);
}
