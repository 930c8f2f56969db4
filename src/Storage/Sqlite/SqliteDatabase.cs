using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Grid.Abstractions;
using Grid.Abstractions.Telemetry;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Grid.Storage.Sqlite;

/// <summary>Connections to the embedded file: owned by one process, written by one thread, read by many.</summary>
internal sealed partial class SqliteDatabase : IStoreStartup, IStoreGuard, IDisposable
{
    private readonly string _path;
    private readonly StoreCondition _condition;
    private readonly TimeProvider _clock;
    private readonly GridMetrics _metrics;
    private readonly ILogger<SqliteDatabase> _logger;
    private readonly ConcurrentBag<SqliteStatements> _readers = [];
    private readonly Lazy<SqliteFile> _file;
    private readonly Lock _saving = new();
    private Thread? _saver;
    private bool _isDisposed;

    public SqliteDatabase(StoreOptions options, StoreCondition condition, GridMetrics metrics, TimeProvider clock, ILogger<SqliteDatabase> logger)
    {
        _path = Path.GetFullPath(options.RequiredSqlitePath);
        (_condition, _metrics, _clock, _logger) = (condition, metrics, clock, logger);
        _file = new Lazy<SqliteFile>(() => SqliteFile.Own(_path));
    }

    public StoreCondition Condition => _condition;

    public void TakeOwnership() => _ = _file.Value;

    public Task<StoreFacts> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var statements = Open();
            return Task.FromResult(new StoreFacts($"SQLite {statements.Scalar("SELECT sqlite_version()")}", _path, [], Room: null));
        }
        catch (SqliteException failure)
        {
            throw new StoreStartException($"{_path} cannot be used as a database: {failure.Message} {SqliteFailure.Repair(failure)}", failure);
        }
    }

    /// <inheritdoc/>
    public void Verify()
    {
        _condition.ThrowIfCondemned();
        if (_file.Value.Look() is { } loss)
        {
            Condemn(loss);
            _condition.ThrowIfCondemned();
        }
    }

    /// <summary>A separate connection with its prepared statements.</summary>
    public SqliteStatements Open()
    {
        TakeOwnership();
        Verify();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(SqliteFile.ConnectionString(_path)) { Pooling = false }.ToString());
        try
        {
            connection.Open();
            var statements = new SqliteStatements(connection);

            // A commit is on disk before it is acknowledged.
            statements.Scalar("PRAGMA synchronous = FULL");

            // Opened by name: it may have been given to another file a moment ago.
            Verify();
            return statements;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Reads on this thread; in-process reads take microseconds.</summary>
    public T Read<T>(Func<SqliteStatements, T> read, [CallerMemberName] string operation = "")
    {
        _condition.ThrowIfCondemned();
        var started = _metrics.StartStore();
        SqliteStatements? reader = null;
        try
        {
            if (!_readers.TryTake(out reader))
            {
                reader = Open();
            }

            var result = read(reader);

            // Only a reader whose last read went well goes back: nothing half-read is ever inherited.
            _readers.Add(reader);
            _metrics.StoreEnded(started, operation, error: null);
            return result;
        }
        catch (Exception failure)
        {
            reader?.Dispose();
            _metrics.StoreEnded(started, operation, SqliteFailure.Name(failure));
            throw failure is SqliteException refusal
                ? new StoreUnavailableException($"The SQLite file could not be read. {SqliteFailure.Repair(refusal)}", failure)
                : failure;
        }
    }

    /// <summary>Closes every connection. A copy that is being saved is finished first: whoever ends this process was told that it would be there.</summary>
    public void Dispose()
    {
        Thread? saver;
        lock (_saving)
        {
            (saver, _isDisposed) = (_saver, true);
        }

        saver?.Join();
        foreach (var reader in _readers)
        {
            reader.Dispose();
        }

        if (_file.IsValueCreated)
        {
            _file.Value.Dispose();
        }
    }

    private void Condemn(SqliteLoss loss)
    {
        _condition.Condemn(loss.CanBeSaved
            ? $"{loss.What} What was acknowledged is being saved beside it: end Grid, put the saved file in its place, remove its -wal and -shm, start again."
            : $"{loss.What} End Grid, restore a backup into an empty folder (never over a file in use), start again.");
        if (!loss.CanBeSaved)
        {
            return;
        }

        lock (_saving)
        {
            // Several threads may notice the loss at once. As long as it takes: nothing else uses the store now.
            if (_saver is null && !_isDisposed)
            {
                _saver = new Thread(Save) { IsBackground = true, Name = "grid-sqlite-save" };
                _saver.Start();
            }
        }
    }

    private void Save()
    {
        try
        {
            Log.Saved(_logger, _file.Value.Save(_clock.GetUtcNow()));
        }
        catch (Exception failure)
        {
            Log.NotSaved(_logger, failure);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2604, LogLevel.Critical, "Every acknowledged write is in {File}; move it to the database's path before the next start")]
        public static partial void Saved(ILogger logger, string file);

        [LoggerMessage(2605, LogLevel.Critical, "Could not save the acknowledged writes next to the database")]
        public static partial void NotSaved(ILogger logger, Exception failure);
    }
}
