using System.Net.WebSockets;
using System.Text.Json;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Revocation.Registry;
using Grid.Revocation.Relay;
using Grid.Revocation.Relay.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.Core.Revocation;

/// <summary><c>GET /session/holder</c>, a WebSocket: lets a service check access tokens itself. Ours, beside the protocol (<c>docs/protocol.md</c>).</summary>
internal sealed partial class ConnectHolder(
    HolderRelay relay, ISessionLook store, LeaseTerms terms, IHostApplicationLifetime host, ILogger<ConnectHolder> logger)
{
    private const int MaxName = 100;

    public async Task HandleAsync(HttpContext context)
    {
        var request = CoreRequest.Of(context);
        if (!context.WebSockets.IsWebSocketRequest)
        {
            throw new CoreException(426, "This is a WebSocket: connect with Upgrade: websocket");
        }

        if (relay.IsFull)
        {
            throw new CoreException(503, $"{relay.Count} services are connected to this process, as many as Grid:Revocation:MaxServices allows");
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, host.ApplicationStopping);
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await using var messages = new HolderSocket(socket);
        ServiceConnection? connection = null;
        try
        {
            if (await messages.ReceiveAsync(stop.Token) is { Type: HolderMessageType.Register, Incarnation: { } incarnation } hello)
            {
                connection = new ServiceConnection(messages, incarnation, request.App.App.ToString());
                var cursor = await RegisterAsync(messages, connection, hello, request.App, stop.Token);
                if (await messages.ReceiveAsync(stop.Token) is { Type: HolderMessageType.Renew } first)
                {
                    await relay.RenewFirstAsync(connection, cursor, first.N, stop.Token);
                }

                while (await messages.ReceiveAsync(stop.Token) is { } message)
                {
                    await HandleAsync(messages, connection, message, request.App.App, stop.Token);
                }
            }
        }
        catch (Exception over) when (over is WebSocketException or OperationCanceledException or JsonException or IOException)
        {
            // It comes back, or its lease runs out.
        }
        catch (Exception failure)
        {
            Log.Failed(logger, failure);
        }
        finally
        {
            if (connection is not null)
            {
                relay.Detach(connection);
            }
        }
    }

    /// <returns>The log's head at the registration.</returns>
    private async Task<string> RegisterAsync(HolderSocket messages, ServiceConnection connection, HolderMessage hello, AppSnapshot app, CancellationToken cancellationToken)
    {
        // Its former self was forgotten before it came here: nobody has to wait for that lease.
        if (hello.Former is { } former)
        {
            await relay.LeaveAsync(former, cancellationToken);
        }

        var name = hello.Name ?? "";
        var appName = app.App.ToString();
        var registered = await relay.AttachAsync(
            connection,
            new HolderRow
            {
                Incarnation = connection.Incarnation,
                Kind = HolderKind.Service,
                Name = name[..Math.Min(name.Length, MaxName)],
                Address = "",
                Lease = terms.Lease,
            },
            cancellationToken);
        messages.Send(new HolderMessage
        {
            Type = HolderMessageType.Registered,
            N = hello.N,
            App = appName,
            LeaseMs = (int)terms.Lease.TotalMilliseconds,
            Bounded = app.Settings.StaleBehaviour == StaleBehaviour.Bounded,
            RevokedKeys = [.. registered.RevokedKeys.Where(key => key.App == appName).Select(key => key.Kid)],
        });
        return registered.Cursor;
    }

    private async Task HandleAsync(HolderSocket messages, ServiceConnection connection, HolderMessage message, AppKey app, CancellationToken cancellationToken)
    {
        switch (message.Type)
        {
            case HolderMessageType.Renew:
                connection.Ask(message.N);
                break;
            case HolderMessageType.Confirm:
                connection.Confirm(message.N);
                break;
            case HolderMessageType.Look when message.SessionOf(app.ToString()) is { } name:
                _ = LookAsync(messages, message.N, name);
                break;
            case HolderMessageType.Leave:
                relay.Detach(connection);
                await relay.LeaveAsync(connection.Incarnation, cancellationToken);
                break;
            default:
                // From a later version: what it asks for is not there.
                messages.Send(new HolderMessage { Type = HolderMessageType.Failed, N = message.N });
                break;
        }
    }

    private async Task LookAsync(HolderSocket messages, long number, SessionName name)
    {
        try
        {
            var found = await store.LookAsync(name, CancellationToken.None);
            messages.Send(new HolderMessage
            {
                Type = HolderMessageType.Looked,
                N = number,
                Id = found?.Name.Id,
                UserId = found?.UserId,
                Epoch = found?.Epoch,
                ExpiresAt = found?.ExpiresAt,
            });
        }
        catch (StoreUnavailableException)
        {
            messages.Send(new HolderMessage { Type = HolderMessageType.Failed, N = number });
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3010, LogLevel.Warning, "The connection of a service that checks tokens failed; it comes back by itself")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
