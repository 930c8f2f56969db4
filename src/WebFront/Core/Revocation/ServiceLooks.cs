using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Grid.Abstractions;
using Grid.Revocation.Holders;
using Grid.Revocation.Outages;
using Grid.Revocation.Relay.Wire;

namespace Grid.WebFront.Core.Revocation;

/// <summary>The look-ups of one connection: sessions that a service has not seen before, read from the store on its behalf.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Looks that outlive the connection give their place back.")]
internal sealed class ServiceLooks : IAsyncDisposable
{
    private readonly ConnectedService _service;
    private readonly ServiceDoor _door;
    private readonly ISessionLook _store;
    private readonly OutageTally _failed;
    private readonly SemaphoreSlim _ofApp;
    private readonly SemaphoreSlim _own = new(HolderSocket.MaxLooks);

    // Renewals and confirmations follow look-ups on the same connection and must not wait for them, so look-ups are queued here.
    private readonly Channel<(long Number, SessionName Session)> _waiting = Channel.CreateBounded<(long, SessionName)>(
        new BoundedChannelOptions(2 * HolderSocket.MaxLooks) { SingleReader = true, SingleWriter = true });

    private readonly CancellationTokenSource _over;
    private readonly Task _working;

    public ServiceLooks(ConnectedService service, ServiceDoor door, ISessionLook store, OutageTally failed)
    {
        (_service, _door, _store, _failed) = (service, door, store, failed);
        _ofApp = door.LooksOf(service.AppName);
        _over = CancellationTokenSource.CreateLinkedTokenSource(service.Stop);
        _working = WorkAsync();
    }

    /// <summary>Queues a look-up. Waits only if the service exceeds its queue, which delays everything that it sends afterwards.</summary>
    public ValueTask AddAsync(long number, SessionName session) => _waiting.Writer.WriteAsync((number, session), _service.Stop);

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _working;
        _over.Dispose();
    }

    private async Task WorkAsync()
    {
        try
        {
            await foreach (var (number, session) in _waiting.Reader.ReadAllAsync(_over.Token))
            {
                await _own.WaitAsync(_over.Token);
                await _door.PaceLookAsync(_service.AppName, _over.Token);

                // Acquired last: a connection that ends while it waits must not keep one of the app's places.
                await _ofApp.WaitAsync(_over.Token);
                _ = LookAsync(number, session);
            }
        }
        catch (OperationCanceledException)
        {
            // The connection is closed; look-ups that had not begun are dropped.
        }
    }

    private async Task LookAsync(long number, SessionName session)
    {
        HolderMessage answer;
        try
        {
            var found = await _store.LookAsync(session, CancellationToken.None);
            answer = new HolderMessage
            {
                Type = HolderMessageType.Looked,
                N = number,
                Id = found?.Name.Id,
                UserId = found?.UserId,
                Epoch = found?.Epoch,
                ExpiresAt = found?.ExpiresAt,
            };
        }
        catch (Exception failure)
        {
            if (failure is not StoreUnavailableException)
            {
                _failed.Met(failure.GetType().Name, failure);
            }

            answer = new HolderMessage { Type = HolderMessageType.Failed, N = number, Reason = "the store does not answer" };
        }

        _service.Messages.Send(answer);
        _ofApp.Release();
        _own.Release();
    }
}
