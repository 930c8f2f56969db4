using Grid.Client;
using Grid.GrainClient.Clusters;
using Grid.GrainDoors;
using Grid.GrainDoors.Tunnels;

namespace Grid.GrainClient.Sessions;

/// <summary>Calls of doors: who calls goes along, and there is one meaning for each way to fail.</summary>
internal sealed class DoorCalls(ICluster cluster, GridGrainOptions options)
{
    private static readonly GrainId SessionDoor = GrainId.Create(DoorNames.Sessions, DoorNames.Key);
    private static readonly GrainId UserDoor = GrainId.Create(DoorNames.Users, DoorNames.Key);
    private static readonly GrainId HolderDoor = GrainId.Create(DoorNames.Holders, DoorNames.Key);
    private static readonly GrainId WatchDoor = GrainId.Create(DoorNames.Watches, DoorNames.Key);
    private static readonly GrainId KeyDoor = GrainId.Create(DoorNames.Keys, DoorNames.Key);

    // Answers that were on their way when a connection ended are here by then.
    private static readonly TimeSpan AfterLoss = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstSignAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastSignWithin = TimeSpan.FromSeconds(5);

    private readonly DoorCaller _caller = new() { App = options.App, ApiKey = options.ApiKey };

    public Task<T?> SessionsAsync<T>(Func<ISessionDoor, Task<DoorAnswer<T>>> call, CancellationToken cancellationToken) => CallAsync(SessionDoor, call, mayWait: false, cancellationToken);

    public Task<T?> UsersAsync<T>(Func<IUserDoor, Task<DoorAnswer<T>>> call, CancellationToken cancellationToken) => CallAsync(UserDoor, call, mayWait: false, cancellationToken);

    public Task<T?> KeysAsync<T>(Func<IKeyDoor, Task<DoorAnswer<T>>> call, CancellationToken cancellationToken) => CallAsync(KeyDoor, call, mayWait: false, cancellationToken);

    public Task<T?> HoldersAsync<T>(Func<IHolderDoor, Task<DoorAnswer<T>>> call, CancellationToken cancellationToken) => CallAsync(HolderDoor, call, mayWait: false, cancellationToken);

    public Task<T?> WatchesAsync<T>(Func<IWatchDoor, Task<DoorAnswer<T>>> call, CancellationToken cancellationToken) => CallAsync(WatchDoor, call, mayWait: false, cancellationToken);

    /// <summary>How long a call waits for its answer.</summary>
    public TimeSpan Patience => options.Timeout;

    /// <summary>Calls what may end sessions: its answer comes when everybody who accepts tokens has heard of it, or his lease has run out.</summary>
    public Task<T?> EndAsync<T>(Func<ISessionDoor, Task<DoorAnswer<T>>> call, CancellationToken cancellationToken) => CallAsync(SessionDoor, call, mayWait: true, cancellationToken);

    /// <inheritdoc cref="EndAsync{T}"/>
    public Task<T?> EndOfUserAsync<T>(Func<IUserDoor, Task<DoorAnswer<T>>> call, CancellationToken cancellationToken) => CallAsync(UserDoor, call, mayWait: true, cancellationToken);

    private async Task<T?> CallAsync<TDoor, T>(GrainId id, Func<TDoor, Task<DoorAnswer<T>>> call, bool mayWait, CancellationToken cancellationToken)
        where TDoor : IGrainDoor
    {
        cancellationToken.ThrowIfCancellationRequested();
        DoorAnswer<T> answer;
        try
        {
            var door = (await cluster.ConnectedAsync(cancellationToken)).GetGrain<TDoor>(id);
            var lost = cluster.Losses.Next;
            var answering = SendAsync(() => call(door));
            answer = await (mayWait ? AnswerOrSignAsync(answering, door, lost, cancellationToken) : AnswerAsync(answering, lost, cancellationToken));
        }
        catch (Exception failure) when (failure is not (GridException or ArgumentException) && !cancellationToken.IsCancellationRequested)
        {
            throw failure is UnauthorizedAccessException
                ? new GridException(GridFailure.Refused, "The silos take no such call from outside their cluster: they are of an older version than this client.", failure)
                : new GridException(GridFailure.Unavailable, "Grid's silos do not answer.", failure);
        }

        return answer.Outcome switch
        {
            DoorOutcome.Done => answer.Value,
            DoorOutcome.Unavailable => throw new GridException(GridFailure.Unavailable, $"Grid could not do it: {answer.Message}") { RetryAfter = answer.RetryAfter },
            DoorOutcome.Refused => throw new GridException(GridFailure.Refused, answer.Message ?? "Grid refused the call."),
            DoorOutcome.TokenTooLong => throw new GridException(GridFailure.TokenTooLong, answer.Message ?? "The access token would be too long."),
            DoorOutcome.WrongKey => throw new GridException(GridFailure.Refused, $"Grid refused the call: {answer.Message}. Set ApiKey to a key of the core API that the app '{options.App}' takes."),
            var other => throw new GridException(GridFailure.Unavailable, $"Grid answered with an outcome that this client does not know ({(int)other}): update GridSessions.GrainClient."),
        };
    }

    // In a method of its own: what is set here is gone when it returns. What the application keeps in its request context is none of Grid's business.
    private async Task<T> SendAsync<T>(Func<Task<T>> call)
    {
        RequestContext.Clear();
        RequestContext.Set(DoorCaller.Key, _caller);
        return await call();
    }

    private async Task<T> AnswerAsync<T>(Task<T> answering, Task lost, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(options.Timeout);
        var limit = Task.Delay(Timeout.Infinite, over.Token);
        if (await Task.WhenAny(answering, lost, limit) == lost)
        {
            await Task.WhenAny(answering, Task.Delay(AfterLoss, over.Token));
        }

        await over.CancelAsync();
        return await Now(answering, lost.IsCompleted, cancellationToken);
    }

    /// <summary>
    /// As <see cref="AnswerAsync"/>, as long as a revocation may take. Who waits for others and who is gone look the same from here, so now and then
    /// the silo is asked for a sign of life. It has to be the same one: another knows nothing of this call.
    /// </summary>
    private async Task<T> AnswerOrSignAsync<T>(Task<T> answering, IGrainDoor door, Task lost, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(options.RevocationTimeout);
        string? silo = null;
        var pause = FirstSignAfter;
        while (await Task.WhenAny(answering, lost, Task.Delay(pause, over.Token)) != answering && !over.IsCancellationRequested)
        {
            var wasLost = lost.IsCompleted;
            lost = cluster.Losses.Next;
            var sign = await SignAsync(door, options.Timeout);
            if (sign is null || (silo ?? sign) != sign || (silo is null && wasLost))
            {
                await Task.WhenAny(answering, Task.Delay(AfterLoss, cancellationToken));
                return await Now(answering, isLost: true, cancellationToken);
            }

            (silo, pause) = (sign, options.Timeout);
        }

        if (!answering.IsCompleted && !cancellationToken.IsCancellationRequested && silo is not null && await SignAsync(door, LastSignWithin) == silo)
        {
            throw new GridException(
                GridFailure.StillWaiting,
                $"Grid has not acknowledged the revocation yet (it has taken {options.RevocationTimeout.TotalSeconds:0.#} s): a process that accepts tokens is silent. Repeat the call; a repetition finishes and confirms.");
        }

        await over.CancelAsync();
        return await Now(answering, lost.IsCompleted, cancellationToken);
    }

    private async Task<string?> SignAsync(IGrainDoor door, TimeSpan within)
    {
        try
        {
            return await SendAsync(() => door.PingAsync()).WaitAsync(within);
        }
        catch (Exception)
        {
            return null;
        }
    }

    private static async Task<T> Now<T>(Task<T> answering, bool isLost, CancellationToken cancellationToken)
    {
        if (answering.IsCompleted)
        {
            return await answering;
        }

        // Nobody waits for it any more.
        _ = answering.ContinueWith(static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        cancellationToken.ThrowIfCancellationRequested();
        throw isLost ? new IOException("The connection to the silo that had the call is over.") : new TimeoutException("No answer came in time.");
    }
}
