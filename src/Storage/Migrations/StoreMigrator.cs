using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using Grid.Storage.PostgreSql;
using Grid.Storage.Sqlite;
using Npgsql;

namespace Grid.Storage;

/// <summary>How the database's schema compares with this program's.</summary>
public enum SchemaState
{
    Current,

    /// <summary>Scripts are pending; in an empty database, all of them.</summary>
    Behind,

    /// <summary>A newer version of Grid has migrated it, and this one must not use it.</summary>
    Newer,

    /// <summary>A newer version of Grid has migrated it, and this one may go on over it, as silos do that are replaced one by one.</summary>
    Ahead,
}

/// <summary>State and the newest script on either side.</summary>
/// <param name="State">The comparison.</param>
/// <param name="Applied">Newest script in the database; null in an empty one.</param>
/// <param name="Known">Newest script of this program.</param>
/// <param name="Pending">Scripts to apply, in order.</param>
/// <param name="Least">Number of the schema that a program must know at least to use the database; 0 in an empty one.</param>
public sealed record SchemaStatus(SchemaState State, string? Applied, string Known, IReadOnlyList<string> Pending, int Least);

/// <summary>Brings the schema up to date. Scripts are embedded, numbered and forward only; each is one transaction.</summary>
/// <remarks>
/// A script whose name ends in <c>_works_with_NNNN</c> only adds: programs that know schema NNNN read and write on beside it. The name is what the
/// database keeps of a script, so that an earlier program can read it there. Any other script is for programs that know it.
/// Longer than most files: what is compared, locked and applied, and in which order, is read in one place.
/// </remarks>
public sealed partial class StoreMigrator
{
    private const string JournalTable = "grid_schema";

    // An arbitrary number that no other program on the same database uses.
    private const long LockId = 0x67_72_69_64;

    // Requests wait behind a script that waits for a table, and give up after 8 s. A script that has it takes as long as its table is large.
    private const string Patience = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = 0;\n";

    private static readonly TimeSpan LockPatience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(100);

    private readonly StoreOptions _options;
    private readonly IReadOnlyList<SqlScript> _scripts;

    private StoreMigrator(StoreOptions options)
    {
        _options = options;
        var folder = options.Engine == StoreEngine.PostgreSql ? "postgresql" : "sqlite";
        _scripts = [.. ScriptsOf(folder).OrderBy(s => s.Name, StringComparer.Ordinal)];
    }

    /// <summary>Number of the newest script of this program.</summary>
    internal int Knows => NumberOf(_scripts[^1].Name);

    /// <summary>For a database.</summary>
    public static StoreMigrator For(StoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new StoreMigrator(options);
    }

    /// <summary>Compares. Read-only: nothing is created or changed, even if there is no file yet or another process owns it.</summary>
    /// <exception cref="StoreStartException">The database cannot be reached.</exception>
    public SchemaStatus Status() => Guarded(Read);

    /// <summary>
    /// The same once no migration is under way. For a silo whose session has begun (<see cref="ISiloPresence"/>): a migrator that did not see it has
    /// ended by then, so what this says stays true for as long as the session lasts, but for migrations that say that they work with this program.
    /// </summary>
    /// <exception cref="StoreStartException">The database cannot be reached.</exception>
    public SchemaStatus Settled() => Guarded(() =>
    {
        using var shared = _options.Engine == StoreEngine.PostgreSql ? TakePostgreSqlLock("SELECT pg_try_advisory_xact_lock_shared($1)") : null;
        return Read();
    });

    /// <summary>The same over the silo's session itself, which has been begun again: it takes no connection beside those that the silo has.</summary>
    /// <param name="session">Holds the silo's locks. What goes wrong with it is thrown as it comes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<SchemaStatus> SettledAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        // A server that only follows may not have heard of a migration yet.
        await PostgreSqlDatabase.RefuseReadOnlyAsync(session, cancellationToken);
        await using var pass = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock_shared($1)", session) { Parameters = { new() { Value = LockId } } };
        while (await pass.ExecuteScalarAsync(cancellationToken) is not true)
        {
            await Task.Delay(LockPause, cancellationToken);
        }

        // Given back with its statement: whoever migrates from now on finds the silo's locks.
        await using var ask = new NpgsqlCommand($"SELECT scriptname FROM {JournalTable}", session);
        await using var rows = await ask.ExecuteReaderAsync(cancellationToken);
        List<string> executed = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            executed.Add(rows.GetString(0));
        }

        return Compare(executed);
    }

    /// <summary>Applies what is pending, under a lock, and returns the status after it.</summary>
    /// <exception cref="StoreStartException">The schema is newer than this program, a silo is at work whose version a pending script is not for, a script failed, the database cannot be reached, or (SQLite, if anything is pending) another process owns it.</exception>
    public SchemaStatus Apply() => Guarded(() =>
    {
        if (_options.Engine == StoreEngine.Sqlite && Read() is { State: not SchemaState.Behind } settled)
        {
            return settled.State == SchemaState.Newer ? throw Newer(settled) : settled;
        }

        using var exclusive = TakeLock();
        var upgrader = Upgrader(readOnly: false);
        var before = Compare(upgrader);
        if (before.State == SchemaState.Newer)
        {
            throw Newer(before);
        }

        if (exclusive is PostgreSqlLock held)
        {
            RefuseOlderSilos(before, held.Transaction);
        }

        var result = upgrader.PerformUpgrade();
        return result.Successful
            ? Compare(upgrader)
            : throw new StoreStartException($"Migration {result.ErrorScript?.Name} failed: {result.Error.Message} Nothing of it was applied.{Repair(result.Error)}", result.Error);
    });

    /// <summary>The pending SQL, each script followed by the journal entry that marks it as applied.</summary>
    public string Script() => Guarded(() =>
    {
        var pending = Read().Pending;
        return Print(_scripts.Where(s => pending.Contains(s.Name)));
    });

    /// <summary>All SQL from an empty database on; needs no connection.</summary>
    public string FullScript() => Print(_scripts);

    /// <summary>The message for a schema that a newer version has migrated, so that this one must not use it.</summary>
    public static StoreStartException Newer(SchemaStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return new StoreStartException(
            $"The database has schema {status.Applied}, which is for versions of Grid that know schema {Number(status.Least)} or a later one, but this version knows no later one than {status.Known}. Start the version of Grid that migrated it, or a later one; there is no way back but a backup.");
    }

    private static IEnumerable<SqlScript> ScriptsOf(string folder)
    {
        var assembly = typeof(StoreMigrator).Assembly;
        foreach (var name in assembly.GetManifestResourceNames())
        {
            // Grid.Storage.Sql.<engine>.NNNN_what.sql
            var parts = name.Split('.');
            if (parts is [.., var engine, var script, "sql"] && engine == folder)
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                yield return new SqlScript(script, reader.ReadToEnd());
            }
        }
    }

    private SchemaStatus Compare(IReadOnlyList<string> executed)
    {
        var applied = executed.Order(StringComparer.Ordinal).ToList();
        var known = _scripts.Select(s => s.Name).ToList();
        List<string> pending = [.. known.Except(applied)];
        var least = applied.Select(LeastFor).DefaultIfEmpty(0).Max();
        var state = !applied.Except(known).Any() ? (pending.Count > 0 ? SchemaState.Behind : SchemaState.Current)
            : pending.Count == 0 && NumberOf(known[^1]) >= least ? SchemaState.Ahead
            : SchemaState.Newer;
        return new SchemaStatus(state, applied.LastOrDefault(), known[^1], pending, least);
    }

    /// <summary>Number of the schema that a program must know at least to work over a script.</summary>
    private static int LeastFor(string script) =>
        WorksWith().Match(script) is { Success: true } match ? int.Parse(match.ValueSpan[^4..], NumberStyles.None, CultureInfo.InvariantCulture) : NumberOf(script);

    // What has no number is not Grid's, or of a time to come.
    private static int NumberOf(string script) => script.Length >= 4 && int.TryParse(script.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;

    private static string Number(int schema) => schema.ToString("0000", CultureInfo.InvariantCulture);

    [GeneratedRegex("_works_with_[0-9]{4}$", RegexOptions.CultureInvariant)]
    private static partial Regex WorksWith();

    private SchemaStatus Compare(UpgradeEngine upgrader) => Compare(upgrader.GetExecutedScripts());

    private SchemaStatus Read() =>
        _options.Engine == StoreEngine.Sqlite && !SqliteFile.HasContent(_options.RequiredSqlitePath) ? Compare([]) : Compare(Upgrader(readOnly: true));

    private UpgradeEngine Upgrader(bool readOnly)
    {
        var builder = _options.Engine == StoreEngine.PostgreSql
            ? DeployChanges.To.PostgresqlDatabase(PostgreSqlPools.Unpooled(_options)).JournalToPostgresqlTable(null, JournalTable)
            : DeployChanges.To.SqliteDatabase(readOnly
                ? SqliteFile.ReadOnlyConnectionString(_options.RequiredSqlitePath)
                : SqliteFile.ConnectionString(_options.RequiredSqlitePath)).JournalToSqliteTable(JournalTable);
        var scripts = _scripts;
        if (_options.Engine == StoreEngine.PostgreSql)
        {
            builder.WithExecutionTimeout(TimeSpan.Zero);
            scripts = [.. _scripts.Select(script => new SqlScript(script.Name, Patience + script.Contents))];
        }

        return builder.WithScripts(scripts).WithTransactionPerScript().WithVariablesDisabled().LogTo(new NoOpUpgradeLog()).Build();
    }

    // They would go on over a schema that is not theirs. Behind a pooler no silo has a session, and nobody can tell.
    private static void RefuseOlderSilos(SchemaStatus before, NpgsqlTransaction transaction)
    {
        if (before.Applied is not { } applied || before.Pending.MaxBy(LeastFor) is not { } script)
        {
            return;
        }

        var needed = LeastFor(script);
        if (SilosAtWork.FindOlder(transaction, needed, NumberOf(applied)) is { Count: > 0 } older)
        {
            throw new StoreStartException(
                $"Migration {script} is for versions of Grid that know schema {Number(needed)} or a later one, and silos of an older version are at work: {string.Join(", ", older)}. Nothing was applied. Stop them, all of them, then start this version: they can't be replaced one by one.");
        }
    }

    // The silo that migrates at its start has SQLite's; the verb takes it for as long as it works.
    private IDisposable? TakeLock() => _options.Engine == StoreEngine.PostgreSql
        ? TakePostgreSqlLock("SELECT pg_try_advisory_xact_lock($1)")
        : SqliteFile.TryOwn(_options.RequiredSqlitePath);

    private PostgreSqlLock TakePostgreSqlLock(string tryTake)
    {
        // Not pooled: a connection that goes back to a pool would be another's next.
        var connection = new NpgsqlConnection(PostgreSqlPools.Unpooled(_options));
        try
        {
            connection.Open();
            PostgreSqlDatabase.RefuseReadOnlyAsync(connection).GetAwaiter().GetResult();
            return Lock(connection, tryTake);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // Held by a transaction, which a pooler keeps on one server connection; who waits asks again, so that it holds none meanwhile.
    private static PostgreSqlLock Lock(NpgsqlConnection connection, string tryTake)
    {
        var clock = TimeProvider.System;
        for (var since = clock.GetTimestamp(); ;)
        {
            var transaction = connection.BeginTransaction(System.Data.IsolationLevel.ReadCommitted);
            using var take = new NpgsqlCommand(tryTake, connection, transaction) { Parameters = { new() { Value = LockId } } };
            if (take.ExecuteScalar() is true)
            {
                // Silent while the scripts run.
                using var stay = new NpgsqlCommand("SET LOCAL idle_in_transaction_session_timeout = 0", connection, transaction);
                stay.ExecuteNonQuery();
                return new PostgreSqlLock(connection, transaction);
            }

            transaction.Dispose();
            if (clock.GetElapsedTime(since) > LockPatience)
            {
                throw new StoreStartException($"Another process has been migrating the database for {LockPatience.TotalSeconds:0} s. Wait for it to end, then start again.");
            }

            Thread.Sleep(LockPause);
        }
    }

    private string Print(IEnumerable<SqlScript> scripts)
    {
        var sql = new StringBuilder();
        foreach (var script in scripts)
        {
            sql.Append("BEGIN;\n\n-- ").Append(script.Name).Append('\n').Append(script.Contents.Trim()).Append("\n\n");
            sql.Append(_options.Engine == StoreEngine.PostgreSql
                ? $"CREATE TABLE IF NOT EXISTS {JournalTable} (schemaversionsid serial PRIMARY KEY, scriptname character varying(255) NOT NULL, applied timestamp without time zone NOT NULL);\nINSERT INTO {JournalTable} (scriptname, applied) VALUES ('{script.Name}', now());\n"
                : $"CREATE TABLE IF NOT EXISTS {JournalTable} (SchemaVersionID INTEGER CONSTRAINT 'PK_{JournalTable}_SchemaVersionID' PRIMARY KEY AUTOINCREMENT NOT NULL, ScriptName TEXT NOT NULL, Applied DATETIME NOT NULL);\nINSERT INTO {JournalTable} (ScriptName, Applied) VALUES ('{script.Name}', datetime('now'));\n");
            sql.Append("\nCOMMIT;\n\n");
        }

        return sql.ToString();
    }

    private static string Repair(Exception failure) => failure is not PostgresException { SqlState: var state } ? "" : state switch
    {
        PostgresErrorCodes.InvalidSchemaName => " Name the schema by 'Search Path' (POSTGRESQL_TABLE_SCHEMA), which is made if it is missing, or make it: CREATE SCHEMA ….",
        PostgresErrorCodes.LockNotAvailable => " Another transaction has held one of its tables for 5 s: a backup (pg_dump), or a statement by hand. Start again when it is over.",
        PostgresErrorCodes.InsufficientPrivilege =>
            " Run 'grid migrate' as a role that may create tables there, and let the silos connect with Grid:Store:MigrateAtStart=false (deploy/sql/roles/postgresql.sql), or grant it: GRANT CREATE ON SCHEMA … TO ….",
        _ => "",
    };

    private static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Microsoft.Data.Sqlite.SqliteException failure)
        {
            throw new StoreStartException($"The database cannot be used: {failure.Message} {SqliteFailure.Repair(failure)}", failure);
        }
        catch (NpgsqlException failure) when (PostgreSqlRoute.WhyNoStart(failure) is { } reason)
        {
            throw new StoreStartException(reason, failure);
        }
        catch (Exception failure) when (failure is NpgsqlException or UnauthorizedAccessException or IOException)
        {
            throw new StoreStartException($"The database cannot be reached: {failure.Message} Check the connection string or the file's folder.", failure);
        }
    }

    private sealed class PostgreSqlLock(NpgsqlConnection connection, NpgsqlTransaction transaction) : IDisposable
    {
        public NpgsqlTransaction Transaction => transaction;

        public void Dispose()
        {
            // Ended before the connection is, so that the next one has the lock when this call is over.
            transaction.Dispose();
            connection.Dispose();
        }
    }
}
