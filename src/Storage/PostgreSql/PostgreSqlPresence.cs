using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;

namespace Grid.Storage.PostgreSql;

/// <inheritdoc cref="ISiloPresence"/>
/// <remarks>The session is known by an advisory lock of a random number, on a connection that does nothing else.</remarks>
internal sealed class PostgreSqlPresence(PostgreSqlDatabase database, StoreOptions options) : ISiloPresence, IAsyncDisposable
{
    // A machine that vanishes closes nothing: the server finds out by itself, in about as long as the silos' own probes take.
    private const string Settings =
        "SET idle_session_timeout = 0; SET lock_timeout = 0; SET statement_timeout = 0; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3";

    // Waits until the server has noticed the end of this silo's former session, if it has not yet.
    private const string Take = "SELECT pg_advisory_lock($1)";

    // Bit 63 of a lock's number is its sign; objsubid tells one number from two.
    private const string Over =
        """
        SELECT mark FROM unnest($1::bigint[]) AS mark
        WHERE NOT EXISTS (
          SELECT 1 FROM pg_locks l
          WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
            AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
            AND ((l.classid::bigint << 32) | l.objid::bigint) = mark)
        """;

    private const int KeepAliveSeconds = 5;
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly long _number = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<StoreStartException> _overtaken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _holding = Task.CompletedTask;

    public string? Mark { get; private set; }

    public Task<StoreStartException> Overtaken => _overtaken.Task;

    /// <summary>Number of the newest schema that this silo's version knows: a migration that is not for it waits until it has ended.</summary>
    internal int Knows { get; init; } = StoreMigrator.For(options).Knows;

    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await PostgreSqlRoute.IsPooledAsync(options.RequiredConnectionString, cancellationToken))
            {
                // Its sessions are the pooler's: they outlive this process.
                return;
            }

            var connection = await OpenAsync(cancellationToken);
            Mark = Text(_number);
            _holding = Task.Run(() => HoldAsync(connection), CancellationToken.None);
        }
        catch (Exception failure) when (IsOfTheStore(failure))
        {
            throw new StoreStartException($"PostgreSQL stopped answering during the start: {failure.Message} Start again when it is back.", failure);
        }
    }

    public async Task<IReadOnlySet<string>> FindOverAsync(IReadOnlyCollection<string> marks, CancellationToken cancellationToken)
    {
        var numbers = marks.Select(NumberOf).OfType<long>().ToArray();
        return numbers.Length == 0 ? new HashSet<string>() : await database.RunReservedAsync(async connection =>
        {
            await using var ask = new NpgsqlCommand(Over, connection) { Parameters = { new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint, Value = numbers } } };
            await using var rows = await ask.ExecuteReaderAsync(cancellationToken);
            HashSet<string> over = [];
            while (await rows.ReadAsync(cancellationToken))
            {
                over.Add(Text(rows.GetInt64(0)));
            }

            return over;
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await _holding;
        _stop.Dispose();
    }

    private static string Text(long number) => number.ToString("x16", CultureInfo.InvariantCulture);

    private static long? NumberOf(string mark) =>
        mark.Length == 2 * sizeof(long) && long.TryParse(mark, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static bool IsOfTheStore(Exception failure) => failure is NpgsqlException or TimeoutException or IOException;

    private async Task HoldAsync(NpgsqlConnection connection)
    {
        for (var isFirst = true; !_stop.IsCancellationRequested; isFirst = false)
        {
            try
            {
                await using (connection)
                {
                    if (!isFirst)
                    {
                        await LookAsync(connection);
                    }

                    while (true)
                    {
                        // Nobody notifies; it ends with the connection.
                        await connection.WaitAsync(_stop.Token);
                    }
                }
            }
            catch (Exception)
            {
                // Stopping, or the server has gone: that is told where the store is used. Whatever it was, without a session this silo looks as if it had ended.
            }

            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    connection = await OpenAsync(_stop.Token);
                    break;
                }
                catch (Exception)
                {
                    await Task.Delay(AgainAfter, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
    }

    // No migrator had regard to this silo between two sessions.
    private async Task LookAsync(NpgsqlConnection connection)
    {
        while (true)
        {
            try
            {
                if (await StoreMigrator.For(options).SettledAsync(connection, _stop.Token) is { State: SchemaState.Newer } schema)
                {
                    _overtaken.TrySetResult(StoreMigrator.Newer(schema));
                }

                return;
            }
            catch (Exception) when (!_stop.IsCancellationRequested && connection.FullState.HasFlag(System.Data.ConnectionState.Open))
            {
                // Whatever kept it from looking, the session goes on, and it is no reason to end.
                await Task.Delay(LookAgainAfter, _stop.Token);
            }
        }
    }

    // A connection of its own: that of a pool goes from hand to hand.
    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var settings = PostgreSqlPools.Settings(options, isPooled: false, "presence", connections: 1);
        (settings.Pooling, settings.KeepAlive) = (false, KeepAliveSeconds);
        var connection = new NpgsqlConnection(settings.ToString());
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var set = new NpgsqlCommand(Settings, connection);
            await set.ExecuteNonQueryAsync(cancellationToken);
            await using var tell = new NpgsqlCommand(SilosAtWork.Tell, connection) { Parameters = { new() { NpgsqlDbType = NpgsqlDbType.Integer, Value = Knows } } };
            await tell.ExecuteNonQueryAsync(cancellationToken);
            await using var take = new NpgsqlCommand(Take, connection) { Parameters = { Parameters.Number(_number) } };
            await take.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
