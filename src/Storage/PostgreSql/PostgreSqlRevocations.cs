using System.Collections.Immutable;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Revocation.Log;
using Grid.Storage.Importing;
using Npgsql;
using NpgsqlTypes;
using static Grid.Storage.PostgreSql.Parameters;

namespace Grid.Storage.PostgreSql;

/// <summary>The statements of a revocation: delete, raise epochs, write the log.</summary>
internal static class PostgreSqlRevocations
{
    /// <summary>One batch is one transaction. Epoch rows are locked before session rows, as inserts do.</summary>
    public static NpgsqlBatch Batch(NpgsqlConnection connection, RevocationScope scope, RevocationReason reason, DateTimeOffset now)
    {
        var batch = new NpgsqlBatch(connection);
        switch (scope)
        {
            case RevocationScope.Named named:
                AddNamed(batch, named, reason, now);
                break;
            case RevocationScope.User user:
                AddUser(batch, user, reason, now);
                break;
            case RevocationScope.Tenant tenant:
                AddTenant(batch, scope.App, tenant.TenantId, tenant.IsBeingMade, reason, now);
                break;
            case RevocationScope.WholeApp app:
                AddTenant(batch, scope.App, null, app.IsBeingMade, reason, now);
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

        return batch;
    }

    /// <summary>Reads the result. Deletes return sessions, statements on the log return entries; the name of the first column tells which.</summary>
    public static async Task<RevokedSessions> ReadAsync(NpgsqlDataReader rows, DateTimeOffset now)
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

    private static void AddNamed(NpgsqlBatch batch, RevocationScope.Named named, RevocationReason reason, DateTimeOffset now)
    {
        SessionHandle[] handles = [.. named.Sessions.Distinct().OrderBy(h => h.Id)];
        if (handles.Any(ImportFence.MayCome))
        {
            SessionHandle[] fenced = [.. handles.Where(ImportFence.MayCome)];
            batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.FenceNamed)
            {
                Parameters =
                {
                    Text(named.App.ToString()), Array(NpgsqlDbType.Uuid, fenced, h => h.Id), Array(NpgsqlDbType.Text, fenced, h => h.TenantId),
                    Number(ImportFence.Until(now)),
                },
            });
        }

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
        if (user.TenantId is null)
        {
            // In one tenant the epoch's own row is made, and stands for what had not come.
            batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.FenceUser)
            {
                Parameters = { Text(app), Id(ImportFence.NoteOf(user.App, user.UserId).Handle.Id), Number(ImportFence.Until(now)) },
            });
        }

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

    private static void AddTenant(NpgsqlBatch batch, AppKey app, string? tenantId, bool isBeingMade, RevocationReason reason, DateTimeOffset now)
    {
        if (!isBeingMade)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.FenceImports) { Parameters = { Text(app.ToString()), Text(tenantId) } });
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.RaiseTenantEpochs) { Parameters = { Text(app.ToString()), Text(tenantId) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.DeleteTenant) { Parameters = { Text(app.ToString()), Text(tenantId) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SessionSql.LogTenant)
        {
            Parameters = { Text(app.ToString()), Text(tenantId), Reason(reason), Time(now) },
        });
    }

    private static NpgsqlParameter Reason(RevocationReason reason) => Small((short)reason);
}
