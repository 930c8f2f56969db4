using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;

namespace Grid.Storage.Sqlite;

/// <summary>The one owner of a database file with its <c>-wal</c> and <c>-shm</c>, from before the first connection to after the last.</summary>
/// <remarks>
/// Closing <i>any</i> descriptor of a file drops every POSIX lock that the process has on it, SQLite's among them. The next program that
/// opens the database then believes itself alone and deletes the log that this process goes on to write into. So nothing in this process
/// opens these files but SQLite itself; what else is to be known of them comes from their names, and from two descriptors that are closed last.
/// </remarks>
internal sealed class SqliteFile : IDisposable
{
    // Seconds for which a connection waits for another one's transaction: ours take milliseconds, a foreign one may take for ever.
    private const int PatienceForLock = 3;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

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

            // As long as this connection is open the log stays the same file, whatever connections come and go.
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

    /// <summary>How every connection is opened, Orleans' own included. Nobody creates the file but <see cref="Own"/>: a connection to a file that is gone fails.</summary>
    public static string ConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = Path.GetFullPath(path),
        DefaultTimeout = PatienceForLock,
        Mode = SqliteOpenMode.ReadWrite,
        Pooling = true,
    }.ToString();

    /// <summary>Without any change to the file or beside it, whoever uses it.</summary>
    public static string ReadOnlyConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = Path.GetFullPath(path),
        Mode = SqliteOpenMode.ReadOnly,
        Pooling = false,
    }.ToString();

    /// <summary>Whether there is a file that a database may be in; an empty one is an empty database.</summary>
    public static bool HasContent(string path) => new FileInfo(Canonical(path)) is { Exists: true, Length: > 0 };

    /// <summary>Makes the file this process's: created with mode 0600 if missing, with a write-ahead log.</summary>
    /// <exception cref="StoreStartException">Another process has it, or it cannot be used; with the repair.</exception>
    public static SqliteFile Own(string path) => TryOwn(path) ?? throw Taken(path, null);

    /// <summary>Null if this process owns it already.</summary>
    /// <exception cref="StoreStartException">As for <see cref="Own"/>.</exception>
    public static SqliteFile? TryOwn(string path)
    {
        try
        {
            var canonical = Canonical(path);
            lock (Gate)
            {
                if (OwnedHere.Contains(canonical))
                {
                    return null;
                }

                Directory.CreateDirectory(Path.GetDirectoryName(canonical)!);
                var ownership = TakeLock(canonical);
                try
                {
                    Create(canonical);
                    RefuseOtherNames(canonical);
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

    /// <summary>Writes what the open descriptors hold into a new file beside the database, also when those have no name any more.</summary>
    /// <returns>The new file.</returns>
    public string Save(DateTimeOffset now)
    {
        var copy = $"{_path}.saved-{now:yyyyMMddHHmmss}";
        var part = copy + ".part";
        new FileStream(part, PrivateFile(FileMode.CreateNew)).Dispose();
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

    private static string Canonical(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new StoreStartException($"{full} is a folder. Set Grid:Store:SqlitePath to a file, for example {Path.Combine(full, "grid.db")}.");
        }

        // SQLite follows links too: the log, and so the lock, lie beside the file that is meant.
        return new FileInfo(full).LinkTarget is null ? full : File.ResolveLinkTarget(full, returnFinalTarget: true)!.FullName;
    }

    private static FileStream TakeLock(string path)
    {
        var lockPath = path + ".lock";
        try
        {
            // The kernel gives it back when the process ends, however it ends.
            return new FileStream(lockPath, PrivateFile(FileMode.OpenOrCreate));
        }
        catch (IOException failure) when (failure is not (FileNotFoundException or DirectoryNotFoundException) && File.Exists(lockPath))
        {
            throw Taken(path, failure);
        }
    }

    private static StoreStartException Taken(string path, Exception? failure) => new(
        $"Another process is using {path}. Only one Grid may own a SQLite file: end the other one, give this one its own file (Grid:Store:SqlitePath), or move to PostgreSQL.", failure);

    private static void Create(string path)
    {
        if (!File.Exists(path))
        {
            // Nobody has locks on a file that is not there yet. SQLite gives -wal and -shm the same mode.
            new FileStream(path, PrivateFile(FileMode.CreateNew)).Dispose();
        }
        else if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != Private)
        {
            File.SetUnixFileMode(path, Private);
        }
    }

    private static void RefuseOtherNames(string path)
    {
        if (!OperatingSystem.IsLinux() || FileFacts.Of(path) is not { } facts)
        {
            return;
        }

        if (facts.IsMounted)
        {
            throw new StoreStartException($"{path} is mounted as a single file: its log would lie outside of the volume and be lost with the container. Mount the folder.");
        }

        if (facts.Names > 1)
        {
            throw new StoreStartException($"{path} has {facts.Names} names (hard links). SQLite keeps a log for each name, which ruins the file: remove the others, or copy the file and use the copy.");
        }
    }

    private static FileStreamOptions PrivateFile(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Private;
        }

        return options;
    }

    private static SafeFileHandle Watch(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    // Somebody tidied up: nobody else can own the database as long as the lock is ours again.
    private bool StillLocked()
    {
        if (!OperatingSystem.IsLinux() || FileFacts.Of(_lock.Name)?.Id == _lockFacts?.Id)
        {
            return true;
        }

        try
        {
            var again = TakeLock(_path);
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

    // Only a checkpoint writes to the database, whoever makes it, and it says so in the index before it begins and after it ended.
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
