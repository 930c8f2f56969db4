using System.Collections.Concurrent;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Importing;
using Grid.Abstractions.Sessions;
using Npgsql;

namespace Grid.Storage.Importing;

/// <summary>Sessions of a SuperTokens core's database, taken in when they are first asked for.</summary>
/// <remarks>
/// Bounded, so that nobody floods that database through this one: handles that Grid made are never looked for (theirs are of version 7, the
/// original's of version 4), each handle and user once, by few connections, and not at all for a moment after the database did not answer.
/// </remarks>
/// <param name="source">Where it is.</param>
/// <param name="imports">Notes what came.</param>
/// <param name="tenants">Of these tenants of an app those that Grid has, or has now.</param>
/// <param name="clock">Measures ages.</param>
public sealed class OriginalSessions(
    SuperTokensSource source, IImportStore imports, Func<AppKey, IReadOnlySet<string>, ValueTask<IReadOnlySet<string>>> tenants, TimeProvider clock) : IAsyncDisposable
{
    // Of a process. A session costs one query of a few rows, once.
    private const int MaxConnections = 4;

    private const int MaxSettled = 100_000;
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    // What was not there will not appear, since the original no longer serves; the limit is for an operator who finds that it still did.
    private static readonly TimeSpan SettledFor = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly ConcurrentDictionary<SessionKey, long> _sessions = new();
    private readonly ConcurrentDictionary<(AppKey App, string UserId), long> _users = new();
    private SuperTokensDatabase? _database;
    private volatile Failure? _failure;

    /// <summary>Why the database could not be asked when it last was; null if it answered, or was not asked yet.</summary>
    public string? Trouble => _failure?.Why;

    /// <summary>Where it is, without credentials.</summary>
    public SuperTokensSource Source => source;

    /// <summary>Whether a session may be there that is not here.</summary>
    public bool MayHave(SessionKey key) => ImportFence.MayCome(key.Handle) && key.App.Domain.Length == 0 && !IsSettled(_sessions, key);

    /// <summary>Takes the session in if it is there and never was here.</summary>
    /// <exception cref="StoreUnavailableException">The original's database does not answer: whether there is such a session is unknown.</exception>
    public async Task TakeInAsync(SessionKey key, DateTimeOffset now)
    {
        if ((await imports.FindKnownAsync([key], CancellationToken.None)).Count == 0)
        {
            var found = await AskAsync(database => database.FindAsync(key.App.AppId, key.Handle.TenantId, key.Handle.ToString(), now, CancellationToken.None));
            await AddAsync(found, new HashSet<string>(StringComparer.Ordinal) { key.Handle.TenantId });
        }

        Settle(_sessions, key);
    }

    /// <summary>Reads a session once more. If it is here as it came, it is renewed: the original may have served after somebody had looked at it here.</summary>
    /// <exception cref="StoreUnavailableException">The original's database does not answer: what the session is there is unknown.</exception>
    public async Task RenewAsync(SessionKey key, DateTimeOffset now)
    {
        if (ImportFence.MayCome(key.Handle) && key.App.Domain.Length == 0)
        {
            var found = await AskAsync(database => database.FindAsync(key.App.AppId, key.Handle.TenantId, key.Handle.ToString(), now, CancellationToken.None));
            await AddAsync(found, new HashSet<string>(StringComparer.Ordinal) { key.Handle.TenantId });
        }
    }

    /// <summary>Takes all sessions of a user in that never were here.</summary>
    /// <exception cref="StoreUnavailableException">The original's database does not answer: which there are is unknown.</exception>
    public async Task TakeInAsync(AppKey app, string userId, DateTimeOffset now)
    {
        if (app.Domain.Length > 0 || IsSettled(_users, (app, userId)))
        {
            return;
        }

        var found = await AskAsync(database => database.FindOfUserAsync(app.AppId, userId, now, CancellationToken.None));
        var known = await tenants(app, found.Select(session => session.Tenant).ToHashSet(StringComparer.Ordinal));
        await AddAsync(found, known);

        // Those of a tenant that is not here yet come when it is.
        if (found.All(session => known.Contains(session.Tenant)))
        {
            Settle(_users, (app, userId));
        }
    }

    /// <summary>Asks the database; for a moment after a failure nobody does.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer.</exception>
    public async Task<T> AskAsync<T>(Func<SuperTokensDatabase, Task<T>> ask)
    {
        ArgumentNullException.ThrowIfNull(ask);
        PauseAfterFailure();
        try
        {
            var answer = await ask(_database ?? await OpenAsync());
            _failure = null;
            return answer;
        }
        catch (ImportSourceException failure)
        {
            _failure = new Failure(clock.GetTimestamp(), failure.Message);
            throw new StoreUnavailableException(failure.Message, failure);
        }
    }

    private void PauseAfterFailure()
    {
        if (_failure is { } last && clock.GetElapsedTime(last.At) < AskAgainAfter)
        {
            throw new StoreUnavailableException(last.Why);
        }
    }

    /// <summary>Closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_database is { } database)
        {
            await database.DisposeAsync();
        }

        _opening.Dispose();
    }

    private Task AddAsync(IReadOnlyList<SuperTokensSession> found, IReadOnlySet<string> known) => imports.AddAsync(
        [.. found.Where(session => known.Contains(session.Tenant)).Select(session => session.TryConvert(out var record, out _) ? record : null).OfType<SessionRecord>()],
        progress: null, CancellationToken.None);

    private bool IsSettled<T>(ConcurrentDictionary<T, long> settled, T name)
        where T : notnull => settled.TryGetValue(name, out var since) && clock.GetElapsedTime(since) < SettledFor;

    private void Settle<T>(ConcurrentDictionary<T, long> settled, T name)
        where T : notnull
    {
        if (settled.Count >= MaxSettled)
        {
            settled.Clear();
        }

        settled[name] = clock.GetTimestamp();
    }

    private async Task<SuperTokensDatabase> OpenAsync()
    {
        await _opening.WaitAsync();
        try
        {
            // Who waited here for an attempt that failed makes none of his own: of many, the last would wait for all of them.
            if (_database is { } opened)
            {
                return opened;
            }

            PauseAfterFailure();
            var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString) { Timeout = 3, CommandTimeout = 5 };
            return _database ??= await SuperTokensDatabase.OpenAsync(source with { ConnectionString = settings.ToString() }, MaxConnections, CancellationToken.None);
        }
        catch (ImportSourceException failure)
        {
            _failure = new Failure(clock.GetTimestamp(), failure.Message);
            throw;
        }
        finally
        {
            _opening.Release();
        }
    }

    private sealed record Failure(long At, string Why);
}
