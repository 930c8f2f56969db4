using System.Collections.Concurrent;
using Grid.Abstractions;
using Microsoft.Data.Sqlite;

namespace Grid.Storage.Sqlite;

/// <summary>The embedded file: owned by one process, written by one thread, read by many.</summary>
internal sealed class SqliteDatabase : IStoreStartup, IDisposable
{
    private readonly string _path;
    private readonly ConcurrentBag<SqliteStatements> _readers = [];
    private readonly Lazy<FileStream> _ownership;

    public SqliteDatabase(StoreOptions options)
    {
        _path = Path.GetFullPath(options.RequiredSqlitePath);
        _ownership = new Lazy<FileStream>(() => TakeOwnership(_path));
    }

    /// <summary>Makes folder and file (mode 0600) if they are missing.</summary>
    public static void Prepare(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        // SQLite gives -wal and -shm the mode of the database file.
        new FileStream(path, PrivateFile(FileMode.OpenOrCreate, FileShare.ReadWrite)).Dispose();
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>Kept in the file: every later connection, Orleans' own among them, waits for a writer instead of failing beside readers.</summary>
    public static void UseWriteAheadLog(string path)
    {
        using var connection = new SqliteConnection(ConnectionString(path));
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        command.ExecuteScalar();
    }

    /// <summary>How to open the file; also for Orleans' grain storage.</summary>
    public static string ConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = Path.GetFullPath(path),
        DefaultTimeout = 10,
        Pooling = true,
    }.ToString();

    public void TakeOwnership() => _ = _ownership.Value;

    public Task<StoreFacts> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var statements = Open();
            return Task.FromResult(new StoreFacts($"SQLite {statements.Scalar("SELECT sqlite_version()")}", _path, []));
        }
        catch (SqliteException failure)
        {
            throw new StoreStartException($"{_path} cannot be used as a database: {failure.Message} If it is not Grid's file, set Grid:Store:SqlitePath to another one.", failure);
        }
    }

    /// <summary>A connection of one's own, with its prepared statements.</summary>
    public SqliteStatements Open()
    {
        TakeOwnership();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(ConnectionString(_path)) { Pooling = false }.ToString());
        try
        {
            connection.Open();
            var statements = new SqliteStatements(connection);

            // FULL: a commit is on disk before anybody hears of it. WAL: readers do not wait for the writer.
            statements.Scalar("PRAGMA journal_mode = WAL");
            statements.Scalar("PRAGMA synchronous = FULL");
            return statements;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Reads on this thread; in-process reads take microseconds.</summary>
    public T Read<T>(Func<SqliteStatements, T> read)
    {
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
            return result;
        }
        catch (SqliteException failure)
        {
            reader?.Dispose();
            throw new StoreUnavailableException("The SQLite file could not be read.", failure);
        }
    }

    public void Dispose()
    {
        foreach (var reader in _readers)
        {
            reader.Dispose();
        }

        if (_ownership.IsValueCreated)
        {
            _ownership.Value.Dispose();
        }
    }

    private static FileStream TakeOwnership(string path)
    {
        Prepare(path);
        try
        {
            // The kernel gives the lock back when the process ends, however it ends.
            return new FileStream(path + ".lock", PrivateFile(FileMode.OpenOrCreate, FileShare.None));
        }
        catch (IOException failure)
        {
            throw new StoreStartException(
                $"Another process is using {path}. Only one Grid may own a SQLite file: end the other one, give this one its own file (Grid:Store:SqlitePath), or move to PostgreSQL.", failure);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new StoreStartException($"{path} cannot be opened: {failure.Message} Give the service's user the right to write in that folder.", failure);
        }
    }

    private static FileStreamOptions PrivateFile(FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}
