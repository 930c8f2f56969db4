using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay.Wire;

namespace Grid.Client.Live;

/// <summary>The registry and the store as a service reaches them: through a silo.</summary>
/// <remarks>An incarnation lives on one connection: what came while there was none may have been missed, so after a break the holder starts anew.</remarks>
internal sealed class RemoteHolderStore(Holder holder, GridOptions options) : IHolderStore, ISessionLook, IAsyncDisposable
{
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private volatile HolderConnection? _connection;
    private Guid? _registered;

    /// <summary>The app as its sessions are named; empty until the first registration.</summary>
    public string App { get; private set; } = "";

    /// <summary>Whether valid tokens are accepted while nobody can say if their sessions live.</summary>
    public bool IsBounded { get; private set; }

    public async Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken);
        var former = _registered;
        _registered = row.Incarnation;
        var answer = await connection.AskAsync(
            new HolderMessage { Type = HolderMessageType.Register, Incarnation = row.Incarnation, Former = former, Name = row.Name }, cancellationToken);
        App = answer.App!;
        IsBounded = answer.Bounded == true;
        return new RegisteredHolder("", new LeaseTerms(TimeSpan.FromMilliseconds(answer.LeaseMs!.Value)), [.. answer.RevokedKeys!.Select(kid => (App, kid))]);
    }

    public async Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        if (_connection is not { IsOpen: true, IsLost: false } connection)
        {
            // What is known is vouched for until the lease runs out; only when there is somebody to register with again is it given up.
            await ConnectAsync(cancellationToken);
            return new RenewedHolder("", [], [renewal.Incarnation]);
        }

        await connection.AskAsync(new HolderMessage { Type = HolderMessageType.Renew }, cancellationToken);
        return new RenewedHolder("", [], []);
    }

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken)
    {
        _connection?.Leave();
        return Task.CompletedTask;
    }

    public async ValueTask<FoundSession?> LookAsync(SessionName name, CancellationToken cancellationToken)
    {
        if (_connection is not { IsOpen: true } connection)
        {
            throw new IOException("There is no connection to Grid.");
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.Timeout);
        var answer = await connection.AskAsync(new HolderMessage { Type = HolderMessageType.Look, Tenant = name.Tenant, Id = name.Id }, patience.Token);
        return answer switch
        {
            { Type: HolderMessageType.Looked, Id: null } => null,
            { Type: HolderMessageType.Looked, UserId: { } userId, Epoch: { } epoch, ExpiresAt: { } expiresAt } =>
                new FoundSession { Name = name, UserId = userId, Epoch = epoch, ExpiresAt = expiresAt },
            _ => throw new IOException("Grid's store does not answer."),
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }

    private async Task<HolderConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken);
        try
        {
            // One that a renewal opened a moment ago, and nobody has registered on yet.
            if (_connection is { IsOpen: true, IsLost: false, IsUsed: false } open)
            {
                return open;
            }

            if (_connection is { } old)
            {
                await old.DisposeAsync();
            }

            return _connection = await HolderConnection.OpenAsync(holder, Address(), options.ApiKey, cancellationToken);
        }
        finally
        {
            _connecting.Release();
        }
    }

    private Uri Address()
    {
        var core = new UriBuilder(options.ConnectionUri!);
        core.Scheme = core.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs;
        core.Path = core.Path.TrimEnd('/') + "/session/holder";
        return core.Uri;
    }
}
