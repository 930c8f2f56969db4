using System.Net.WebSockets;
using System.Text.Json;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Outages;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Grid.Revocation.Relay.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Core.Revocation;

/// <summary><c>GET /session/holder</c>, a WebSocket: lets a service check access tokens itself. Ours, beside the protocol (<c>docs/protocol.md</c>).</summary>
/// <remarks>
/// A service with an app's key is not trusted: its messages are validated, its use of resources is limited, and it can only delay its own app.
/// Longer than most files: the life of a connection, from the first message to the reason of its end, is read in one place.
/// </remarks>
internal sealed partial class ConnectHolder(
    HolderRelay relay, ServiceDoor door, CoreGate gate, IAppDirectory apps, ISessionLook store, LeaseTerms terms, IHostApplicationLifetime host, TimeProvider clock,
    ILogger<ConnectHolder> logger) : IDisposable
{
    private static readonly TimeSpan RegisterWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(1);

    // A hostile service retries at once; until it is answered it occupies one of its app's connections.
    private static readonly TimeSpan RefuseAfter = TimeSpan.FromSeconds(1);

    // Shared by all connections: one fault may hit every look-up.
    private readonly OutageTally _failedLooks = new(
        clock,
        (_, failure) => Log.LookFailed(logger, failure),
        more => Log.MoreLooksFailed(logger, more.Count, more.Kinds),
        _ => { });

    private readonly OutageTally _otherProtocols = new(
        clock,
        (which, _) => Log.OtherProtocol(logger, which, HolderProtocol.Oldest, HolderProtocol.Newest),
        more => Log.MoreOtherProtocols(logger, more.Count, more.Kinds),
        _ => { });

    public void Dispose()
    {
        _failedLooks.Dispose();
        _otherProtocols.Dispose();
    }

    public async Task HandleAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        if (!context.WebSockets.IsWebSocketRequest)
        {
            throw new CoreException(426, "This is a WebSocket: connect with Upgrade: websocket");
        }

        var app = request.App.App.ToString();
        var (place, refusal) = door.Enter(app);
        using (place)
        {
            if (place is null)
            {
                throw new CoreException(503, $"Refused: {refusal}");
            }

            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, host.ApplicationStopping);
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await ServeAsync(socket, request.App, context.Connection.RemoteIpAddress?.ToString() ?? "unknown", app => gate.Admits(context, app), place, stop.Token);
        }
    }

    /// <inheritdoc cref="ServiceDoor.Enter"/>
    public (IDisposable? Place, string? Refusal) Enter(string app) => door.Enter(app);

    /// <summary>Serves a connection to its end, however it came about.</summary>
    /// <param name="socket">Open.</param>
    /// <param name="app">Whose services may use it.</param>
    /// <param name="address">Where it comes from, for the log.</param>
    /// <param name="isAdmitted">Whether it could be opened now, by the app as it is now.</param>
    /// <param name="place">From <see cref="Enter"/>; given back when the service is registered.</param>
    /// <param name="stop">Ends it.</param>
    public async Task ServeAsync(WebSocket socket, AppSnapshot app, string address, Predicate<AppSnapshot> isAdmitted, IDisposable place, CancellationToken stop)
    {
        await using var messages = new HolderSocket(socket, ServiceMessages.MaxBytes);
        var service = new ConnectedService(messages, address, isAdmitted, app, stop);
        var why = await ServeAsync(service, place);
        if (why is not null)
        {
            await service.SayGoodbyeAsync(why);
        }
    }

    /// <returns>Why the connection ends; null if the other side ended it.</returns>
    private async Task<string?> ServeAsync(ConnectedService service, IDisposable place)
    {
        try
        {
            if (await FirstAsync(service) is not { } hello)
            {
                return service.Receiving is null ? null : $"register within {RegisterWithin.TotalSeconds:0} s";
            }

            if (hello.Protocol is { } protocol && !HolderProtocol.WorksWith(protocol))
            {
                _otherProtocols.Met(protocol > HolderProtocol.Current ? "later" : "earlier", null);
            }

            if ((ServiceMessages.Refuse(hello) ?? door.RefuseTooMany(service.AppName)) is { } refusal)
            {
                return await RefuseAsync(service, hello, refusal);
            }

            var secret = HolderSecret.Create();
            var connection = new ServiceConnection(service.Messages, new OwnRow(hello.Incarnation!.Value, service.AppName, HolderSecret.HashOf(secret)), LeaseClock.Instance);
            try
            {
                // Keep reading meanwhile: pings are only answered by a reader, and a peer that answers none is considered dead.
                service.Receiving = service.Messages.ReceiveAsync(service.Stop);
                var (cursor, refused) = await RegisterAsync(service, connection, hello, secret);
                if (refused is not null)
                {
                    return await RefuseAsync(service, hello, refused);
                }

                place.Dispose();
                return await GoOnAsync(service, connection, cursor!, ServiceMessages.Name(hello));
            }
            finally
            {
                relay.Detach(connection);
                connection.Close();
                await ForgetUnusedAsync(connection);
            }
        }
        catch (JsonException)
        {
            return $"a message is a JSON object with a type, of at most {ServiceMessages.MaxBytes} bytes";
        }
        catch (Exception over) when (over is WebSocketException or OperationCanceledException or IOException)
        {
            // The service reconnects, or its lease runs out.
            return null;
        }
        catch (StoreUnavailableException)
        {
            return "the store is away: try again";
        }
        catch (Exception failure)
        {
            Log.Failed(logger, failure);
            return "internal error";
        }
    }

    private async Task<HolderMessage?> FirstAsync(ConnectedService service)
    {
        service.Receiving = service.Messages.ReceiveAsync(service.Stop);
        using var over = new CancellationTokenSource();
        if (await Task.WhenAny(service.Receiving, Task.Delay(RegisterWithin, clock, over.Token)) != service.Receiving)
        {
            return null;
        }

        await over.CancelAsync();
        var first = await service.Receiving;
        service.Receiving = null;
        return first;
    }

    private async Task<string> RefuseAsync(ConnectedService service, HolderMessage hello, string reason)
    {
        await Task.Delay(RefuseAfter, clock, service.Stop);
        service.Messages.Send(new HolderMessage { Type = HolderMessageType.Failed, N = hello.N, Reason = reason });
        return reason;
    }

    /// <returns>The log's head at the registration, or why it was refused.</returns>
    private async Task<(string? Cursor, string? Refused)> RegisterAsync(ConnectedService service, ServiceConnection connection, HolderMessage hello, string secret)
    {
        // The service forgot its former incarnation before it reconnected, so no revocation has to wait for that lease. The secret proves that it was its own.
        var former = hello is { Former: { } incarnation, Secret: { } formerSecret } ? new OwnRow(incarnation, service.AppName, HolderSecret.HashOf(formerSecret)) : null;
        var row = new HolderRow
        {
            Incarnation = connection.Incarnation,
            Kind = HolderKind.Service,
            App = service.AppName,
            Name = ServiceMessages.Name(hello),
            Address = "",
            Lease = terms.Lease,
            Protocol = hello.Protocol ?? HolderProtocol.First,
        };
        var registered = await door.InTurnAsync(() => relay.AttachAsync(connection, row, connection.Row.SecretHash, former, service.Stop), service.Stop);
        if (registered.Holder is not { } holder)
        {
            return (null, registered.Refusal switch
            {
                RegistrationRefusal.Full => door.FullText,
                RegistrationRefusal.TooManyOfApp => door.TooManyOfAppText,
                _ => "register: incarnation must be a random UUID, this one is taken",
            });
        }

        service.Messages.Send(new HolderMessage
        {
            Type = HolderMessageType.Registered,
            N = hello.N,
            Secret = secret,
            App = service.AppName,
            Protocol = HolderProtocol.Current,
            LeaseMs = (int)terms.Lease.TotalMilliseconds,
            Bounded = service.App.Settings.StaleBehaviour == StaleBehaviour.Bounded,
            RevokedKeys = [.. holder.RevokedKeys.Where(key => key.App == service.AppName).Select(key => key.Kid)],
        });
        return (holder.Cursor, null);
    }

    private async Task<string?> GoOnAsync(ConnectedService service, ServiceConnection connection, string cursor, string name)
    {
        await using var looks = new ServiceLooks(service, door, store, _failedLooks);
        using var done = new CancellationTokenSource();
        var watching = WatchAsync(service, connection, done.Token);
        var isFirst = true;
        try
        {
            while (true)
            {
                service.Receiving ??= service.Messages.ReceiveAsync(service.Stop);
                if (await Task.WhenAny(service.Receiving, connection.Over) != service.Receiving)
                {
                    if (connection.Loss == HolderLoss.Silent)
                    {
                        Log.Silent(logger, Printable.Of(name), service.AppName, service.Address);
                    }

                    return await connection.Over;
                }

                var message = await service.Receiving;
                service.Receiving = null;
                switch (message)
                {
                    case null:
                        return null;
                    case { Type: HolderMessageType.Leave }:
                        await relay.LeaveAsync(connection, connection.Row, service.Stop);
                        return "left";
                    case var _ when ServiceMessages.RefuseLater(message) is { } refusal:
                        service.Messages.Send(new HolderMessage { Type = HolderMessageType.Failed, N = message.N, Reason = refusal });
                        break;
                    case { Type: HolderMessageType.Renew } when isFirst:
                        isFirst = false;
                        await relay.RenewFirstAsync(connection, cursor, message.N, service.Stop);
                        break;
                    case { Type: HolderMessageType.Renew }:
                        connection.Ask(message.N);
                        break;
                    case { Type: HolderMessageType.Confirm }:
                        connection.Confirm(message.N);
                        break;
                    case var _ when ServiceMessages.IsLook(message, service.AppName, out var session):
                        await looks.AddAsync(message.N, session.Value);
                        break;
                    default:
                        // A request of a later version, which this one does not know.
                        service.Messages.Send(new HolderMessage { Type = HolderMessageType.Failed, N = message.N, Reason = "unknown type of message" });
                        break;
                }
            }
        }
        finally
        {
            await done.CancelAsync();
            await watching;
        }
    }

    /// <summary>Ends the connection when its API key or address is no longer accepted, or when its row was removed because it does not renew.</summary>
    private async Task WatchAsync(ConnectedService service, ServiceConnection connection, CancellationToken over)
    {
        using var timer = new PeriodicTimer(CheckEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                if (connection.Idle > terms.Wait)
                {
                    connection.DeclareLost(HolderLoss.NotRegistered);
                }
                else if (await RefuseNowAsync(service) is { } reason)
                {
                    relay.Detach(connection);
                    connection.End(reason);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }

    private async Task<string?> RefuseNowAsync(ConnectedService service)
    {
        try
        {
            return await apps.FindAsync(service.App.App, CancellationToken.None) is not { } app ? "the app is not there any more"
                : service.IsAdmitted(app) ? null
                : "the API key or the address is not accepted any more";
        }
        catch (StoreUnavailableException)
        {
            // Unknown for now; checked again in a second.
            return null;
        }
    }

    // It was never told that it is fresh and has accepted nothing, so no revocation has to wait for its lease.
    private async Task ForgetUnusedAsync(ServiceConnection connection)
    {
        if (connection.WasRenewed)
        {
            return;
        }

        try
        {
            await relay.LeaveAsync(connection, connection.Row, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
            // The reaper will find it.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3012, LogLevel.Warning, "A look-up for a service failed. Further ones are counted")]
        public static partial void LookFailed(ILogger logger, Exception? failure);

        [LoggerMessage(3013, LogLevel.Warning, "{Count} more look-ups for services failed ({Failures})")]
        public static partial void MoreLooksFailed(ILogger logger, long count, string failures);

        [LoggerMessage(3014, LogLevel.Warning, "A service was refused that follows a version of the revocation protocol {Which} than those which this silo works with, {Oldest} to {Newest}: upgrade whichever is older, by one version at a time")]
        public static partial void OtherProtocol(ILogger logger, string which, int oldest, int newest);

        [LoggerMessage(3015, LogLevel.Warning, "{Count} more services were refused for the versions of the revocation protocol that they follow ({Versions})")]
        public static partial void MoreOtherProtocols(ILogger logger, long count, string versions);

        [LoggerMessage(3010, LogLevel.Warning, "The connection of a service that checks tokens failed; the service will reconnect")]
        public static partial void Failed(ILogger logger, Exception failure);

        [LoggerMessage(3011, LogLevel.Warning, "Service {Name} of app {App}, at {Address}, renews but did not confirm three revocations in a row: its renewals no longer count, so that revocations of its app need not wait for it")]
        public static partial void Silent(ILogger logger, string name, string app, string address);
    }
}
