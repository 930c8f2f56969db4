using System.Diagnostics.CodeAnalysis;
using Grid.Abstractions;
using Grid.Revocation.Holders;
using Grid.Revocation.Relay.Wire;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Core.Revocation;

/// <summary>The looks of one connection: sessions that a service has not seen before, read from the store for it.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Looks that outlive the connection give their place back.")]
internal sealed partial class ServiceLooks(ConnectedService service, ServiceDoor door, ISessionLook store, ILogger logger)
{
    private const int MaxAtOnce = 128;

    private readonly SemaphoreSlim _ofApp = door.LooksOf(service.AppName);

    private readonly SemaphoreSlim _own = new(MaxAtOnce);

    /// <summary>Begins one; who asks for more than may be under way waits here, with whatever it sent after it.</summary>
    public async Task BeginAsync(long number, SessionName session)
    {
        await _own.WaitAsync(service.Stop);
        await door.PaceLookAsync(service.AppName, service.Stop);

        // Last: what is the app's must not be lost with a connection that ends while it waits.
        await _ofApp.WaitAsync(service.Stop);
        _ = LookAsync(number, session);
    }

    private async Task LookAsync(long number, SessionName session)
    {
        HolderMessage answer;
        try
        {
            var found = await store.LookAsync(session, CancellationToken.None);
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
                Log.Failed(logger, failure, session.App);
            }

            answer = new HolderMessage { Type = HolderMessageType.Failed, N = number, Reason = "the store does not answer" };
        }

        service.Messages.Send(answer);
        _ofApp.Release();
        _own.Release();
    }

    private static partial class Log
    {
        [LoggerMessage(3012, LogLevel.Warning, "A look for a service of app {App} failed")]
        public static partial void Failed(ILogger logger, Exception failure, string app);
    }
}
