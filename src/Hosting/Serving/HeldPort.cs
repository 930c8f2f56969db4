using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Grid.Hosting.Settings;

namespace Grid.Hosting.Serving;

/// <summary>
/// A port that is bound once, early, and opened later by the same socket. A port that is probed, given back and opened later may belong
/// to another process by then, and the store has been touched and the cluster joined.
/// </summary>
/// <remarks>
/// On Linux a fixed port refuses connections until <see cref="Open"/>: balancers and clients take a refusal as "ask another silo", and
/// a connection that is queued as a silo that answers.
/// </remarks>
internal sealed class HeldPort : IDisposable
{
    private const int Backlog = 512;

    // Linux' SOL_SOCKET and SO_REUSEADDR; the runtime's own option of that name sets SO_REUSEPORT.
    private const int SocketLevel = 1;
    private const int ReuseAddress = 2;

    // Linux' SO_ATTACH_FILTER, and a program for it that drops whatever begins a connection: the flags are in byte 13 of a segment, SYN is 2.
    private const int AttachFilter = 26;
    private static readonly ulong[] DropBeginnings =
    [
        Instruction(0x30, 0, 0, 13),
        Instruction(0x45, 0, 1, 2),
        Instruction(0x06, 0, 0, 0),
        Instruction(0x06, 0, 0, uint.MaxValue),
    ];

    private readonly Socket _socket;
    private readonly bool _refuses;

    private HeldPort(Socket socket, bool refuses)
    {
        (_socket, _refuses) = (socket, refuses);
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>What is held; with the port that the system chose if it was asked for any.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Binds a port.</summary>
    /// <param name="address">One of this machine's, or "any".</param>
    /// <param name="port">0 for any that is free.</param>
    /// <param name="section">Of the settings, for refusals.</param>
    /// <param name="portKey">The port's key in that section.</param>
    /// <param name="addressRepair">What the section's address should be set to.</param>
    /// <exception cref="SettingsException">It cannot be bound; names the setting and the repair.</exception>
    public static HeldPort Take(IPAddress address, int port, string section, string portKey, string addressRepair)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(new IPEndPoint(address, port));

            // Bound alone would not do: another that also allows address reuse could still listen first.
            socket.Listen(Backlog);

            // A port that the system chose is released when the socket stops listening. It isn't known to anyone yet, so it can stay open.
            var refuses = port != 0 && OperatingSystem.IsLinux();
            if (refuses)
            {
                // It stays bound, and without address reuse it excludes others also while it does not listen.
                socket.Shutdown(SocketShutdown.Receive);
                AllowReuse(socket, false);
            }

            return new HeldPort(socket, refuses);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new SettingsException(failure.SocketErrorCode switch
            {
                SocketError.AddressNotAvailable => $"{section}:Address {address} is none of this machine's addresses. Set it {addressRepair}.",
                SocketError.AccessDenied =>
                    $"{section}:{portKey} {port} requires privileges that this user lacks: ports below 1024 are reserved. Set another port, or put a proxy in front.",
                SocketError.AddressAlreadyInUse =>
                    $"{section}:{portKey} {port} on {address}: address already in use. Set {section}:{portKey} to a free port, or stop the other process.",
                _ => $"{section}:Address {address} and {section}:{portKey} {port} cannot be opened: {failure.Message}.",
            });
        }
    }

    /// <summary>Listens, and hands over the socket: the caller disposes it.</summary>
    public Socket Open()
    {
        if (_refuses)
        {
            // Connections of an earlier process that are still in TIME_WAIT would forbid it otherwise.
            AllowReuse(_socket, true);
            _socket.Listen(Backlog);
        }

        return _socket;
    }

    /// <summary>
    /// Lets in nobody new, and leaves unanswered who knocks: he knocks again after a second, is refused if the port has closed by then, and goes to another silo.
    /// Who has got in is in the queue, and can be accepted.
    /// </summary>
    /// <returns>False where it can't be done; nothing has changed then.</returns>
    public bool TryStopLettingIn()
    {
        if (!_refuses)
        {
            return false;
        }

        var program = GCHandle.Alloc(DropBeginnings, GCHandleType.Pinned);
        try
        {
            // struct sock_fprog: a 16-bit length, and after padding a pointer.
            var filter = new byte[2 * IntPtr.Size];
            BitConverter.TryWriteBytes(filter, (ushort)DropBeginnings.Length);
            BitConverter.TryWriteBytes(filter.AsSpan(IntPtr.Size), program.AddrOfPinnedObject());
            _socket.SetRawSocketOption(SocketLevel, AttachFilter, filter);
            return true;
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // A system that only looks like Linux.
            return false;
        }
        finally
        {
            program.Free();
        }
    }

    public void Dispose() => _socket.Dispose();

    // struct sock_filter: code, two jumps, operand.
    private static ulong Instruction(ushort code, byte ifTrue, byte ifFalse, uint operand) => code | ((ulong)ifTrue << 16) | ((ulong)ifFalse << 24) | ((ulong)operand << 32);

    private static void AllowReuse(Socket socket, bool isAllowed) =>
        socket.SetRawSocketOption(SocketLevel, ReuseAddress, BitConverter.GetBytes(isAllowed ? 1 : 0));
}
