using Grid.Revocation.Holders;
using Grid.Revocation.Log;

namespace Grid.Revocation.Tests.Model;

/// <summary>A process with a real <see cref="Holder"/>, and its messages to and from the store.</summary>
internal sealed class ModelHolder
{
    public ManualTime Clock { get; } = new();

    public Holder Holder { get; private set; }

    public ModelHolder() => Holder = new Holder(Clock);

    /// <summary>Of the registration that it lives on; 0 none.</summary>
    public int Incarnation { get; set; }

    /// <summary>Entries that its renewals have read, as a bit set.</summary>
    public int Cursor { get; set; }

    public int RegisterStep { get; set; }

    public int RegisterIncarnation { get; set; }

    public int RegisterCursor { get; set; }

    public int RenewStep { get; set; }

    public RenewalTicket? RenewTicket { get; set; }

    public bool RenewLost { get; set; }

    public int RenewCursor { get; set; }

    public int RenewEntries { get; set; }

    /// <summary>Entries of a renewal that are still to be applied (mistake).</summary>
    public int Late { get; set; }

    public int LookStep { get; set; }

    public LookTicket? LookTicket { get; set; }

    /// <summary>As the store said; null: none.</summary>
    public FoundSession? LookFound { get; set; }

    /// <summary>The process ends and starts again: what was under way leads nowhere.</summary>
    public void Crash()
    {
        Holder = new Holder(Clock);
        (Incarnation, Cursor, RegisterStep, RenewStep, LookStep, Late) = (0, 0, 0, 0, 0, 0);
        (RenewTicket, LookTicket) = (null, null);
    }

    public string Key(World world)
    {
        var state = Holder.State;
        var now = Clock.GetTimestamp();
        int Ticks(long ticks) => (int)Math.Clamp(ticks / TimeSpan.TicksPerSecond, -World.Saturation, World.Saturation);
        var fresh = state?.Freshness.Until is { } until ? Math.Max(0, Ticks(until - now)) : 0;
        var renew = RenewStep == 0 ? "" : $"{RenewStep}.{(RenewTicket is { } r ? $"{(r.State == state ? 1 : 0)}{Ticks(now - r.SentAt)}" : "")}.{RenewLost}.{RenewCursor}.{RenewEntries}";
        var look = LookStep == 0 ? "" : $"{LookStep}.{(LookTicket is { } l ? $"{(l.State == state ? 1 : 0)}{Ticks(now - l.StartedAt)}{(state is not null && l.Applied < state.Applied ? 1 : 0)}" : "")}.{LookFound?.Epoch}";
        return $"{(state is null ? "-" : "r")}{world.RowKey(Incarnation)}|{Cursor}|{fresh}|{Holder.Count}|{(state?.Tombstones.Covers(World.Session, 0) == true ? 1 : 0)}{(state?.Applied > 0 ? 1 : 0)}"
            + $"|{RegisterStep}{(RegisterStep == 2 ? world.RowKey(RegisterIncarnation) + RegisterCursor : "")}|{renew}|{look}|{Late}";
    }

    public static IReadOnlyList<RevocationEntry> Entries(int bits, World world) =>
        [.. Enumerable.Range(0, World.MaxEntries).Where(i => (bits & (1 << i)) != 0).Select(world.Entry)];
}
