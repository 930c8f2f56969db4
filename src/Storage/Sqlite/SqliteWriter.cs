using System.Threading.Channels;
using Grid.Abstractions;
using Grid.Abstractions.Telemetry;
using Microsoft.Data.Sqlite;

namespace Grid.Storage.Sqlite;

/// <summary>The one thread that writes: everything that waits goes into one transaction, so that one fsync serves many.</summary>
internal sealed class SqliteWriter : IDisposable
{
    private const int MaxWaiting = 10_000;
    private const int MaxGroup = 256;

    // All kinds of writes share transactions.
    private const string Operation = "write";

    // Seconds for which a foreign writer is waited for before those in the group who have waited too long are told.
    private const int PatienceForLock = 1;

    // As in GroupQueue (docs/decisions/0002).
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private readonly SqliteDatabase _database;
    private readonly TimeProvider _clock;
    private readonly GridMetrics _metrics;

    // Synchronous, so that whoever brings work wakes the thread itself: an application that keeps the thread pool busy must not keep writes waiting.
    private readonly Channel<Work> _waiting = Channel.CreateBounded<Work>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true, AllowSynchronousContinuations = true });
    private readonly Thread _thread;

    public SqliteWriter(SqliteDatabase database, GridMetrics metrics, TimeProvider clock)
    {
        (_database, _metrics) = (database, metrics);
        metrics.Queue("store_writes", () => _waiting.Reader.Count);
        _clock = clock;
        _thread = new Thread(Run) { IsBackground = true, Name = "grid-sqlite-writer" };
        _thread.Start();
    }

    /// <summary>Runs a write inside the next transaction; its result is returned after the commit.</summary>
    public Task<T> WriteAsync<T>(Func<SqliteStatements, T> write)
    {
        var work = new Work<T>(write, _clock.GetTimestamp());
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
        while (group.Count > 0 || _waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (group.Count < MaxGroup && _waiting.Reader.TryRead(out var work))
            {
                group.Add(work);
            }

            RefuseLate(group);
            if (group.Count == 0)
            {
                continue;
            }

            var started = _metrics.StartStore();
            try
            {
                _database.Condition.ThrowIfCondemned();
                statements ??= _database.Open();
                if (TryBegin(statements))
                {
                    Commit(statements, group);
                    group.Clear();
                    _metrics.StoreEnded(started, Operation, error: null);
                }
            }
            catch (Exception failure)
            {
                // The commit itself failed, or the file cannot be opened: outcome unknown, start over with a new connection.
                Report(failure);
                _metrics.StoreEnded(started, Operation, SqliteFailure.Name(failure));
                var answer = Unavailable(failure);
                foreach (var work in group)
                {
                    work.Fail(new StoreUnavailableException(answer.Message, answer.InnerException));
                }

                group.Clear();
                statements?.Dispose();
                statements = null;
            }
        }

        statements?.Dispose();
    }

    // Never sent, so certainly not done.
    private void RefuseLate(List<Work> group)
    {
        group.RemoveAll(work =>
        {
            var isLate = _clock.GetElapsedTime(work.Since) > MaxWait;
            if (isLate)
            {
                work.Fail(new StoreUnavailableException("The store is too slow for the work that waits."));
            }

            return isLate;
        });
    }

    /// <returns>False if a foreign writer holds the lock: nothing was sent, the group goes on waiting.</returns>
    private bool TryBegin(SqliteStatements statements)
    {
        try
        {
            var begin = statements.With("BEGIN IMMEDIATE");
            begin.CommandTimeout = PatienceForLock;
            begin.ExecuteNonQuery();
            return true;
        }
        catch (SqliteException failure) when (SqliteFailure.IsBusy(failure))
        {
            Report(failure);
            return false;
        }
    }

    /// <summary>Commits the group inside the open transaction. If one write is refused, halves of the group are tried separately, so that it fails alone.</summary>
    private void Commit(SqliteStatements statements, List<Work> group)
    {
        foreach (var work in group)
        {
            try
            {
                work.Run(statements);
            }
            catch (Exception failure) when (failure is not SqliteException || SqliteFailure.IsStatementError(failure))
            {
                statements.With("ROLLBACK").ExecuteNonQuery();
                if (group.Count == 1)
                {
                    work.Fail(failure is SqliteException ? new UnstorableValueException("A value of this request cannot be stored.", failure) : failure);
                    return;
                }

                CommitAlone(statements, group[..(group.Count / 2)]);
                CommitAlone(statements, group[(group.Count / 2)..]);
                return;
            }
        }

        statements.With("COMMIT").ExecuteNonQuery();

        // Before it is acknowledged: a commit to a deleted file is lost when this process ends.
        _database.Verify();
        _database.Condition.Worked();
        foreach (var work in group)
        {
            work.Complete();
        }
    }

    private void CommitAlone(SqliteStatements statements, List<Work> group)
    {
        statements.With("BEGIN IMMEDIATE").ExecuteNonQuery();
        Commit(statements, group);
    }

    private void Report(Exception failure)
    {
        if (failure is SqliteException refusal)
        {
            _database.Condition.Failed($"{refusal.Message} {SqliteFailure.Repair(refusal)}");
        }
    }

    private static StoreUnavailableException Unavailable(Exception failure) => failure as StoreUnavailableException
        ?? new StoreUnavailableException(
            $"The SQLite file could not be written. {(failure is SqliteException refusal ? SqliteFailure.Repair(refusal) : "")}".TrimEnd(), failure);

    private abstract class Work(long since)
    {
        /// <summary>Timestamp of its arrival.</summary>
        public long Since { get; } = since;

        public abstract void Run(SqliteStatements statements);

        public abstract void Complete();

        public abstract void Fail(Exception failure);
    }

    private sealed class Work<T>(Func<SqliteStatements, T> write, long since) : Work(since)
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;

        public Task<T> Done => _done.Task;

        public override void Run(SqliteStatements statements) => _result = write(statements);

        public override void Complete() => _done.TrySetResult(_result!);

        public override void Fail(Exception failure) => _done.TrySetException(failure);
    }
}
