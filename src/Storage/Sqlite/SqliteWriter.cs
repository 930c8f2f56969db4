using System.Threading.Channels;
using Grid.Abstractions;
using Microsoft.Data.Sqlite;

namespace Grid.Storage.Sqlite;

/// <summary>The one thread that writes: all that waits goes into one transaction, so that one fsync serves many.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private const int MaxWaiting = 10_000;
    private const int MaxGroup = 256;

    private readonly SqliteDatabase _database;
    private readonly Channel<Work> _waiting = Channel.CreateBounded<Work>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly Thread _thread;

    public SqliteWriter(SqliteDatabase database)
    {
        _database = database;
        _thread = new Thread(Run) { IsBackground = true, Name = "grid-sqlite-writer" };
        _thread.Start();
    }

    /// <summary>Runs a write inside the next transaction; its result is handed out after the commit.</summary>
    public Task<T> WriteAsync<T>(Func<SqliteStatements, T> write)
    {
        var work = new Work<T>(write);
        return _waiting.Writer.TryWrite(work)
            ? work.Done
            : Task.FromException<T>(new StoreUnavailableException("The store has more work waiting than it can take."));
    }

    public void Dispose()
    {
        _waiting.Writer.TryComplete();
        _thread.Join();
    }

    private void Run()
    {
        SqliteStatements? statements = null;
        var group = new List<Work>(MaxGroup);
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            group.Clear();
            while (group.Count < MaxGroup && _waiting.Reader.TryRead(out var work))
            {
                group.Add(work);
            }

            try
            {
                statements ??= _database.Open();
                if (!TryCommit(statements, group) && group.Count > 1)
                {
                    // Rolled back because of one of them: each on its own, so that it fails alone.
                    foreach (var work in group)
                    {
                        TryCommit(statements, [work]);
                    }
                }
            }
            catch (Exception failure)
            {
                // The commit itself failed, or the file cannot be opened: outcome unknown, start over with a new connection.
                foreach (var work in group)
                {
                    work.Fail(new StoreUnavailableException("The SQLite file could not be written.", failure));
                }

                statements?.Dispose();
                statements = null;
            }
        }

        statements?.Dispose();
    }

    /// <returns>False if a write failed and everything was rolled back; a group of one has been told so.</returns>
    private static bool TryCommit(SqliteStatements statements, List<Work> group)
    {
        statements.With("BEGIN IMMEDIATE").ExecuteNonQuery();
        foreach (var work in group)
        {
            try
            {
                work.Run(statements);
            }
            catch (Exception failure)
            {
                statements.With("ROLLBACK").ExecuteNonQuery();
                if (group.Count == 1)
                {
                    work.Fail(failure is SqliteException ? new StoreUnavailableException("The SQLite file could not be written.", failure) : failure);
                }

                return false;
            }
        }

        statements.With("COMMIT").ExecuteNonQuery();
        foreach (var work in group)
        {
            work.Complete();
        }

        return true;
    }

    private abstract class Work
    {
        public abstract void Run(SqliteStatements statements);

        public abstract void Complete();

        public abstract void Fail(Exception failure);
    }

    private sealed class Work<T>(Func<SqliteStatements, T> write) : Work
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;

        public Task<T> Done => _done.Task;

        public override void Run(SqliteStatements statements) => _result = write(statements);

        public override void Complete() => _done.TrySetResult(_result!);

        public override void Fail(Exception failure) => _done.TrySetException(failure);
    }
}
