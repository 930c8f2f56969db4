using Grid.Revocation.Log;
using Grid.Revocation.Registry;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>Answers at once, unless told otherwise. Cursors count renewals.</summary>
internal sealed class ScriptedStore : IHolderStore
{
    private int _cursor;

    public List<string> Calls { get; } = [];

    public List<RevocationEntry> Entries { get; } = [];

    public List<Guid> Lost { get; } = [];

    public Func<HolderRow, Task<RegisteredHolder>>? Register { get; set; }

    public Func<HolderRenewal, Task<RenewedHolder>>? Renew { get; set; }

    public Action? Leaving { get; set; }

    public Task<RegisteredHolder> RegisterAsync(HolderRow row, CancellationToken cancellationToken)
    {
        Calls.Add($"register {Number(row.Incarnation)}");
        _cursor = 0;
        return Register?.Invoke(row) ?? Task.FromResult(new RegisteredHolder("0", Terms, []));
    }

    public Task<RenewedHolder> RenewAsync(HolderRenewal renewal, CancellationToken cancellationToken)
    {
        Calls.Add($"renew {Number(renewal.Incarnation!.Value)} from {renewal.Cursor}");
        return Renew?.Invoke(renewal) ?? Task.FromResult(new RenewedHolder($"{++_cursor}", [.. Entries], [.. Lost]));
    }

    public Task LeaveAsync(Guid incarnation, CancellationToken cancellationToken)
    {
        Calls.Add($"leave {Number(incarnation)}");
        Leaving?.Invoke();
        return Task.CompletedTask;
    }

    private static int Number(Guid incarnation) => BitConverter.ToInt32(incarnation.ToByteArray());
}
