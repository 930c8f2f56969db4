using Microsoft.Data.Sqlite;

namespace Grid.Storage.Sqlite;

/// <summary>What SQLite's errors mean.</summary>
internal static class SqliteFailure
{
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int Io = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int TooBig = 18;
    private const int Constraint = 19;
    private const int Mismatch = 20;
    private const int NotADatabase = 26;

    /// <summary>Another connection holds the lock; nothing was done.</summary>
    public static bool IsBusy(SqliteException failure) => failure.SqliteErrorCode is Busy or Locked;

    /// <summary>Whether the values of one statement were refused: it would be refused again, and others would not.</summary>
    public static bool IsStatementError(Exception failure) =>
        failure is SqliteException { SqliteErrorCode: TooBig or Constraint or Mismatch };

    /// <summary>For metrics: SQLite's primary error code, or what else failed.</summary>
    public static string Name(Exception failure) => failure is SqliteException refusal ? $"sqlite_{refusal.SqliteErrorCode}" : failure.GetType().Name;

    /// <summary>What an operator does about it.</summary>
    public static string Repair(SqliteException failure) => failure.SqliteErrorCode switch
    {
        Busy or Locked => "Another program holds its lock (a transaction in sqlite3?): end it.",
        ReadOnly => "Give the service's user the right to write the file and its folder.",
        Io => "The disk or its file system fails, or is full: see the system's log.",
        Corrupt => "The file is damaged: restore a backup.",
        Full => "The disk is full: make room.",
        CannotOpen => "The file is gone, its folder may not be written, or there are too few descriptors.",
        NotADatabase => "If it is not Grid's file, set Grid:Store:SqlitePath to another one.",
        _ => "See the system's log.",
    };
}
