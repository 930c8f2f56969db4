using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;

namespace Grid.Storage.Sqlite;

/// <summary>The one owner of a database file with its <c>-wal</c> and <c>-shm</c>, from before the first connection to after the last.</summary>
/// <remarks>
/// Closing <i>any</i> descriptor of a file drops every POSIX lock that the process has on it, SQLite's among them. The next program that
/// opens the database then believes it is alone, and deletes the log that this process still writes to. So only SQLite itself
/// opens these files in this process; everything else about them is learnt from their names, and from two descriptors that are closed last.
/// </remarks>
internal sealed class SqliteFile : IDisposable
{
    // How many seconds a connection waits for another's transaction: ours take milliseconds, another program's may never end.
    private const int PatienceForLock = 3;

    private static readonly Lock Gate = new();
    private static readonly HashSet<string> OwnedHere = new(StringComparer.Ordinal);

    private readonly string _path;
    private readonly string _logPath;
    private readonly Lock _looking = new();
    private readonly SqliteConnection _anchor;
    private readonly SafeFileHandle? _log;
    private readonly SafeFileHandle? _sharedMemory;
    private readonly FileFacts? _database;
    private readonly FileFacts? _logFacts;
    private FileStream _lock;
    private FileFacts? _lockFacts;
    private long _modified;
    private WalIndex _index;

    private SqliteFile(string path, FileStream ownership)
    {
        _path = path;
        _logPath = path + "-wal";
        _lock = ownership;
        _anchor = new SqliteConnection(new SqliteConnectionStringBuilder(ConnectionString(path)) { Pooling = false }.ToString());
        try
        {
            _anchor.Open();
            Run("PRAGMA journal_mode = WAL");

            // While this connection is open the log stays the same file, even as other connections open and close.
            Run("SELECT count(*) FROM sqlite_schema");
            Run("PRAGMA wal_checkpoint(TRUNCATE)");
            if (OperatingSystem.IsLinux())
            {
                _log = Watch(_logPath);
                _sharedMemory = Watch(path + "-shm");
                _database = FileFacts.Of(path);
                _logFacts = FileFacts.Of(_logPath);
                _lockFacts = FileFacts.Of(_lock.Name);
                _modified = _database?.Modified ?? 0;
                _index = WalIndex.Read(_sharedMemory) ?? default;
            }
        }
        catch
        {
            CloseConnections();
            throw;
        }
    }

    /// <summary>How every connection is opened, including Orleans'. Only <see cref="Own"/> creates the file: a connection to a missing file fails.</summary>
    public static string ConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = Path.GetFullPath(path),
        DefaultTimeout = PatienceForLock,
        Mode = SqliteOpenMode.ReadWrite,
        Pooling = true,
    }.ToString();

    /// <summary>Read-only, without touching the file or its companions, even while another process uses it.</summary>
    public static string ReadOnlyConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = Path.GetFullPath(path),
        Mode = SqliteOpenMode.ReadOnly,
        Pooling = false,
    }.ToString();

    /// <summary>Whether there is a file that a database may be in; an empty one is an empty database.</summary>
    public static bool HasContent(string path) => new FileInfo(SqlitePath.Canonical(path)) is { Exists: true, Length: > 0 };

    /// <summary>Takes ownership of the file, with a write-ahead log; creates it with mode 0600 if it is missing.</summary>
    /// <exception cref="StoreStartException">Another process owns it, or it cannot be used; the message names the repair.</exception>
    public static SqliteFile Own(string path) => TryOwn(path) ?? throw SqlitePath.Taken(path, null);

    /// <summary>Null if this process owns it already.</summary>
    /// <exception cref="StoreStartException">As for <see cref="Own"/>.</exception>
    public static SqliteFile? TryOwn(string path)
    {
        try
        {
            var canonical = SqlitePath.Canonical(path);
            lock (Gate)
            {
                if (OwnedHere.Contains(canonical))
                {
                    return null;
                }

                Directory.CreateDirectory(Path.GetDirectoryName(canonical)!);
                var ownership = SqlitePath.TakeLock(canonical);
                try
                {
                    SqlitePath.Create(canonical);
                    SqlitePath.RefuseOtherNames(canonical);
                    var file = new SqliteFile(canonical, ownership);
                    OwnedHere.Add(canonical);
                    return file;
                }
                catch
                {
                    ownership.Dispose();
                    throw;
                }
            }
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or IOException)
        {
            throw new StoreStartException($"{path} cannot be opened: {failure.Message} Give the service's user the file, and the right to write in its folder.", failure);
        }
        catch (SqliteException failure)
        {
            throw new StoreStartException($"{path} cannot be used as a database: {failure.Message} {SqliteFailure.Repair(failure)}", failure);
        }
    }

    /// <summary>Whether the files are still those that were opened. A few system calls.</summary>
    /// <returns>What happened to them, with the repair; null while nothing did.</returns>
    public SqliteLoss? Look()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        lock (_looking)
        {
            return FileFacts.Of(_path)?.Id != _database?.Id
                ? new SqliteLoss($"{_path} was moved, removed or replaced while Grid ran.", CanBeSaved: true)
                : FileFacts.Of(_logPath)?.Id != _logFacts?.Id
                ? new SqliteLoss($"{_logPath} was removed or replaced while Grid ran.", CanBeSaved: true)
                : !StillLocked()
                ? new SqliteLoss($"{_lock.Name} was removed while Grid ran, and another process owns it now.", CanBeSaved: false)
                : IsOverwritten()
                ? new SqliteLoss($"{_path} or its -wal was written by something other than SQLite while Grid ran.", CanBeSaved: false)
                : null;
        }
    }

    /// <summary>Writes the content of the open descriptors to a new file next to the database, even if they no longer have a name.</summary>
    /// <returns>The new file.</returns>
    public string Save(DateTimeOffset now)
    {
        var copy = $"{_path}.saved-{now:yyyyMMddHHmmss}";
        var part = copy + ".part";
        new FileStream(part, SqlitePath.PrivateFile(FileMode.CreateNew)).Dispose();
        lock (_looking)
        {
            using var save = _anchor.CreateCommand();
            save.CommandText = "VACUUM INTO @copy";
            save.CommandTimeout = 0;
            save.Parameters.AddWithValue("@copy", part);
            save.ExecuteNonQuery();
        }

        File.Move(part, copy);
        return copy;
    }

    public void Dispose()
    {
        lock (Gate)
        {
            OwnedHere.Remove(_path);
            CloseConnections();
            _lock.Dispose();
        }
    }

    private static SafeFileHandle Watch(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    // Someone deleted it. No other process can own the database once the lock is ours again.
    private bool StillLocked()
    {
        if (!OperatingSystem.IsLinux() || FileFacts.Of(_lock.Name)?.Id == _lockFacts?.Id)
        {
            return true;
        }

        try
        {
            var again = SqlitePath.TakeLock(_path);
            _lock.Dispose();
            _lock = again;
            _lockFacts = FileFacts.Of(again.Name);
            return true;
        }
        catch (Exception failure) when (failure is StoreStartException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // Only checkpoints write to the database, whichever process makes them, and they are noted in the index before they begin and after they end.
    private bool IsOverwritten()
    {
        if (!OperatingSystem.IsLinux() || _sharedMemory is null || _log is null || WalIndex.Read(_sharedMemory) is not { } before)
        {
            return false;
        }

        var modified = FileFacts.Of(_path)?.Modified ?? _modified;
        var salt = WalIndex.SaltOf(_log);
        if (WalIndex.Read(_sharedMemory) is not { } after
            || (before.Salt, before.Copied, before.Attempted) != (after.Salt, after.Copied, after.Attempted))
        {
            return false;
        }

        if (before.Frames > 0 && salt != after.Salt)
        {
            return true;
        }

        if (after.Attempted != after.Copied)
        {
            // Under way, or one that failed: the next one that succeeds will explain it.
            return false;
        }

        var isUnexplained = modified != _modified && (after.Salt, after.Copied, after.Attempted) == (_index.Salt, _index.Copied, _index.Attempted);
        (_modified, _index) = (modified, after);
        return isUnexplained;
    }

    private void Run(string sql)
    {
        using var command = _anchor.CreateCommand();
        command.CommandText = sql;
        command.ExecuteScalar();
    }

    // The connections first (a copy that is being saved is waited for): with these descriptors the locks go.
    private void CloseConnections()
    {
        using (var pooled = new SqliteConnection(ConnectionString(_path)))
        {
            SqliteConnection.ClearPool(pooled);
        }

        lock (_looking)
        {
            _anchor.Dispose();
        }

        _sharedMemory?.Dispose();
        _log?.Dispose();
    }
}
