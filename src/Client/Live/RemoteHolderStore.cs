using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay.Wire;

namespace Grid.Client.Live;

/// <summary>The registry and the store as a service reaches them: through a silo.</summary>
/// <remarks>An incarnation lives on one connection: what came while there was none may have been missed, so after a break the holder starts anew.</remarks>
/// <param name="connect">Opens a connection.</param>
/// <param name="timeout">Longest wait for a look.</param>
internal sealed class RemoteHolderStore(Func<CancellationToken, Task<HolderConnection>> connect, TimeSpan timeout)
    : IHolderStore, ISessionLook, IAsyncDisposable
{
    // A silo commits a row in milliseconds: one that is silent for longer has probably gone, and another may already be behind the same
    // address. But a thousand services that return at once have to wait for each other.
    private static readonly TimeSpan RegisterWithin = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan RegisterAtLastWithin = TimeSpan.FromSeconds(6);
    private const int ShortAttempts = 4;

    private static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(0.5);

    // A little shorter than the loop's limit, so that nothing is still running when the loop gives up.
    private const double RenewalsToWait = ServiceHolder.Patience - 0.5;

    private TimeSpan _renewWithin = RenewalsToWait * LeaseTerms.Standard.RenewEvery;
    private volatile HolderConnection? _connection;
    private HolderConnection? _unused;
    private (Guid Incarnation, string Secret)? _former;
    private int _unanswered;
    private int _refusals;
    private (HolderRefusedException Refusal, long Until)? _rest;

    /// <summary>Over the core API's WebSocket.</summary>
    public RemoteHolderStore(Holder holder, GridClientOptions options)
        : this(
            cancellationToken => HolderConnection.OpenAsync(holder, Address(options.ConnectionUri!), options.ApiKey, options.ConfigureWebSocket, cancellationToken),
            options.Timeout)
    {
    }

    /// <summary>The app's name in session names; empty until the first registration.</summary>
    public string App { get; private set; } = "";

    /// <summary>Why Grid ended the last connection, if it did and said so.</summary>
    public string? Goodbye => _connection?.Goodbye;

    /// <summary>Whether valid tokens are accepted while their sessions cannot be checked.</summary>
    public bool IsBounded { get; private set; }

    public async Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        _connection?.Abort();
        var connection = _connection = _unused is { IsOpen: true } unused ? unused : await OpenAsync(cancellationToken);
        _unused = null;
        try
        {
            var request = new HolderMessage { Type = HolderMessageType.Register, Incarnation = row.Incarnation, Former = _former?.Incarnation, Secret = _former?.Secret, Name = row.Name, Protocol = row.Protocol };
            var answer = await AskAsync(connection, request, _unanswered < ShortAttempts ? RegisterWithin : RegisterAtLastWithin, cancellationToken);
            if (answer is { Type: HolderMessageType.Failed, Reason: { } reason })
            {
                throw Rest(new HolderRefusedException(reason));
            }

            if (answer is not { Type: HolderMessageType.Registered, App: { Length: > 0 } app, LeaseMs: { } leaseMs }
                || TimeSpan.FromMilliseconds(leaseMs) is var lease && (lease <= TimeSpan.Zero || lease > LeaseTerms.Longest))
            {
                throw new IOException("What answers there does not register holders: it is no Grid of this version.");
            }

            // It has been told nothing that it could accept, so that the silo forgets it with the connection.
            if (answer.Protocol is { } protocol && !HolderProtocol.WorksWith(protocol))
            {
                throw Rest(new HolderRefusedException(
                    $"it follows version {protocol} of the revocation protocol, and this service's packages work with {HolderProtocol.Oldest} to {HolderProtocol.Newest}: upgrade {(protocol > HolderProtocol.Current ? "them" : "Grid")}, by one version at a time"));
            }

            // Proves to the next silo that this row is its own, so that it is removed.
            _former = answer.Secret is { } secret ? (row.Incarnation, secret) : null;
            (_unanswered, _refusals) = (0, 0);
            (App, IsBounded) = (app, answer.Bounded == true);
            var terms = new LeaseTerms(lease);
            _renewWithin = RenewalsToWait * terms.RenewEvery;
            return new RegisteredHolder("", terms, [.. (answer.RevokedKeys ?? []).Select(kid => (app, kid))]);
        }
        catch (Exception failure)
        {
            // Whether it was registered is unknown: this incarnation is never used.
            _unanswered += failure is TimeoutException ? 1 : 0;
            connection.Abort();
            throw;
        }
    }

    public async Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        if (_connection is not { IsOpen: true } connection)
        {
            // Known sessions are vouched for until the lease runs out; they are given up only when there is a connection to register over again.
            _unused = await OpenAsync(cancellationToken);
            return new RenewedHolder("", [], [renewal.Incarnation!.Value]);
        }

        // A silo that answers but does not renew has no store. Dropping the connection would mean giving up the known sessions.
        var answer = await AskAsync(connection, new HolderMessage { Type = HolderMessageType.Renew }, _renewWithin, cancellationToken);
        return answer.Type == HolderMessageType.Renewed ? new RenewedHolder("", [], []) : throw new IOException("Grid could not renew.");
    }

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken)
    {
        _connection?.Leave();
        return Task.CompletedTask;
    }

    public async ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
    {
        if (_connection is not { IsOpen: true } connection || App.Length == 0)
        {
            throw new IOException("There is no connection to Grid.");
        }

        // The silo looks only among this app's sessions, so the app need not be sent.
        var look = new HolderMessage { Type = HolderMessageType.Look, Tenant = name.Tenant, Id = name.Id };
        var answer = await WithinAsync(limit => connection.LookAsync(look, limit), timeout, cancellationToken);
        return answer switch
        {
            { Type: HolderMessageType.Looked, Id: null } => null,
            { Type: HolderMessageType.Looked, UserId: { } userId, Epoch: { } epoch, ExpiresAt: { } expiresAt } =>
                new FoundSession { Name = name with { App = App }, UserId = userId, Epoch = epoch, ExpiresAt = expiresAt },
            _ => throw new IOException("Grid's store does not answer."),
        };
    }

    public async ValueTask DisposeAsync()
    {
        _unused?.Abort();
        await (_connection?.CloseAsync() ?? Task.CompletedTask);
    }

    private static Task<HolderMessage> AskAsync(HolderConnection connection, HolderMessage request, TimeSpan within, CancellationToken cancellationToken) =>
        WithinAsync(limit => connection.AskAsync(request, limit), within, cancellationToken);

    private static async Task<HolderMessage> WithinAsync(Func<CancellationToken, Task<HolderMessage>> ask, TimeSpan within, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(within);
        try
        {
            return await ask(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw NoAnswer(within);
        }
    }

    private static TimeoutException NoAnswer(TimeSpan within) => new($"No answer within {within.TotalSeconds:0.#} s.");

    private static Uri Address(Uri core)
    {
        var address = new UriBuilder(core) { Scheme = core.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs };
        address.Path = address.Path.TrimEnd('/') + "/session/holder";
        return address.Uri;
    }

    private async Task<HolderConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (_rest is { } rest)
        {
            if (LeaseClock.Instance.GetTimestamp() < rest.Until)
            {
                throw rest.Refusal;
            }

            _rest = null;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_renewWithin);
        try
        {
            return await connect(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw NoAnswer(_renewWithin);
        }
        catch (HolderRefusedException refusal)
        {
            throw Rest(refusal);
        }
    }

    // Doubled each time, and jittered, so that services that were refused together do not retry together.
    private HolderRefusedException Rest(HolderRefusedException refusal)
    {
        var rest = FirstRest * Math.Pow(2, Math.Min(_refusals++, 6));
        rest = (rest < refusal.LongestRest ? rest : refusal.LongestRest) * (0.5 + (0.5 * Random.Shared.NextDouble()));
        _rest = (refusal, LeaseClock.Instance.GetTimestamp() + LeaseClock.Instance.ToTicks(rest));
        return refusal;
    }
}
