using System.Runtime.CompilerServices;
using Grid.Revocation.Holders;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>What a remembered session costs, and that it goes with the session. Alone, because the whole heap is weighed.</summary>
[Collection(nameof(TheHeap))]
public sealed class RememberedBytesTests
{
    private const int Sessions = 20_000;

    private readonly ManualTime _clock = new();

    [Fact]
    public void A_service_remembers_a_session_in_less_than_300_bytes()
    {
        // Today about 200, of which 100 are the user's id. The least of three, because what others leave behind is weighed as well.
        var bytes = Enumerable.Range(0, 3).Min(_ => Weigh(perUser: 2));

        Assert.InRange(bytes, 0, 300);
    }

    [Fact]
    public void A_session_that_is_forgotten_leaves_the_memory()
    {
        var holder = Fresh(_clock, capacity: 10);
        var details = SeeAll(holder, 1_000);

        GC.Collect();

        Assert.InRange(details.Count(kept => kept.IsAlive), 1, 11);
        holder.Apply([App()]);
        GC.Collect();
        Assert.DoesNotContain(details, kept => kept.IsAlive);
        GC.KeepAlive(holder);
    }

    // Not inlined, so that the machine's registers hold nothing of it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<WeakReference> SeeAll(Holder holder, int sessions)
    {
        List<WeakReference> details = [];
        for (var i = 1; i <= sessions; i++)
        {
            var kept = new object();
            details.Add(new WeakReference(kept));
            holder.See(Found(Name(i), $"u{i % 7}", details: kept));
        }

        return details;
    }

    private double Weigh(int perUser)
    {
        var holder = Fresh(_clock, int.MaxValue);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < Sessions; i++)
        {
            holder.See(Found(Name(i, new string("public".AsSpan()), new string("t".AsSpan())), Id(i / perUser).ToString()));
        }

        var after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.Equal(Sessions, holder.Count);
        return (after - before) / (double)Sessions;
    }
}

/// <summary>Tests that weigh the heap run after the others.</summary>
[CollectionDefinition(nameof(TheHeap), DisableParallelization = true)]
public sealed class TheHeap;
