namespace Grid.Storage.Sqlite;

/// <summary>The path of a database file: which file is meant, whether another process owns it, and whether it can be a database at all. Nothing here opens it.</summary>
internal static class SqlitePath
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static string Canonical(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new StoreStartException($"{full} is a folder. Set Grid:Store:SqlitePath to a file, for example {Path.Combine(full, "grid.db")}.");
        }

        // SQLite follows links too: the log, and therefore the lock, is next to the target.
        return new FileInfo(full).LinkTarget is null ? full : File.ResolveLinkTarget(full, returnFinalTarget: true)!.FullName;
    }

    public static FileStream TakeLock(string path)
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

    public static StoreStartException Taken(string path, Exception? failure) => new(
        $"Another process is using {path}. Only one Grid may own a SQLite file: end the other one, give this one its own file (Grid:Store:SqlitePath), or move to PostgreSQL.", failure);

    public static void Create(string path)
    {
        if (!File.Exists(path))
        {
            // A file that does not exist yet is not locked. SQLite gives -wal and -shm the same mode.
            new FileStream(path, PrivateFile(FileMode.CreateNew)).Dispose();
        }
        else if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != Private)
        {
            File.SetUnixFileMode(path, Private);
        }
    }

    public static void RefuseOtherNames(string path)
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

    public static FileStreamOptions PrivateFile(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Private;
        }

        return options;
    }
}
