using Grid.Revocation.Holders;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>What a holder knows by name and by user, beside a plain model of it, and read while it changes.</summary>
public sealed class SessionTableTests
{
    private const int Names = 300;
    private const int Users = 12;

    private readonly ManualTime _clock = new();
    private readonly SessionWatches _watches = new();

    [Theory]
    [InlineData(1, 10_000)]
    [InlineData(2, 10_000)]
    [InlineData(3, 150)]
    [InlineData(4, 40)]
    [InlineData(5, 1)]
    public void Sessions_come_go_and_end_with_their_users_as_in_a_plain_model(int seed, int capacity)
    {
        var dice = new Random(seed);
        var state = State(capacity);
        Dictionary<SessionName, (string User, long Epoch)> model = [];
        for (var step = 0; step < 5_000; step++)
        {
            var name = Name(dice.Next(Names), tenant: dice.Next(4) == 0 ? "t2" : "t");
            switch (dice.Next(20))
            {
                case < 12:
                    var (user, epoch) = ($"u{dice.Next(Users)}", dice.Next(3));
                    state.Add(Found(name, user, epoch), 0, _ => false);
                    model[name] = (user, epoch);
                    break;
                case < 17:
                    state.Apply(Session(name), 0, _watches);
                    model.Remove(name);
                    break;
                case < 19:
                    var (whose, before, kept) = ($"u{dice.Next(Users)}", dice.Next(4), dice.Next(2) == 0 ? name : (SessionName?)null);
                    state.Apply(User(before, kept, whose), 0, _watches);
                    Drop(model, known => known.Key.Tenant == "t" && known.Value.User == whose && known.Value.Epoch < before && known.Key != kept);
                    break;
                default:
                    // Seldom, so that there is something to end.
                    if (dice.Next(20) == 0)
                    {
                        state.Apply(Tenant("t2"), 0, _watches);
                        Drop(model, known => known.Key.Tenant == "t2");
                    }

                    break;
            }

            // What may go by itself is what is too much: of that the model learns here.
            if (model.Count > capacity)
            {
                Assert.InRange(state.Sessions.Count, 1, capacity);
                Drop(model, known => !state.Sessions.TryGetValue(known.Key, out _));
            }

            Assert.Equal(model.Count, state.Sessions.Count);
        }

        Assert.Equal(
            model.Select(known => (known.Key, known.Value.User, known.Value.Epoch)).OrderBy(known => known.Key.ToString()),
            state.Sessions.All.Select(known => (known.Name, known.UserId, known.Epoch)).OrderBy(known => known.Name.ToString()));
        Assert.All(model.Keys, name => Assert.True(state.Sessions.TryGetValue(name, out var known) && known.Name == name && !known.IsOver));
    }

    [Fact]
    public void Sessions_of_a_user_share_the_users_id_and_those_of_a_tenant_its_name()
    {
        var state = State(1_000);

        state.Add(Found(Name(1), Copy("anna")), 0, _ => false);
        state.Add(Found(Name(2, Copy("public"), Copy("t")), Copy("anna")), 0, _ => false);

        Assert.True(state.Sessions.TryGetValue(Name(1), out var first) & state.Sessions.TryGetValue(Name(2), out var second));
        Assert.Same(first!.UserId, second!.UserId);
        Assert.Same(first.Name.App, second.Name.App);
        Assert.Same(first.Name.Tenant, second.Name.Tenant);
    }

    [Fact]
    public void What_is_known_throughout_is_found_whatever_is_added_and_removed_meanwhile()
    {
        var state = State(int.MaxValue);
        SessionName[] staying = [.. Enumerable.Range(1_000_000, 50).Select(i => Name(i))];
        foreach (var name in staying)
        {
            state.Add(Found(name), 0, _ => false);
        }

        using var begun = new CountdownEvent(2);
        var (isOver, missed) = (false, 0);
        Thread[] readers =
        [
            .. Enumerable.Range(0, 2).Select(_ => new Thread(() =>
            {
                for (var round = 0; !Volatile.Read(ref isOver); round++)
                {
                    if (staying.Any(name => !state.Sessions.TryGetValue(name, out var known) || known.Name != name))
                    {
                        Interlocked.Increment(ref missed);
                    }

                    if (round == 0)
                    {
                        begun.Signal();
                    }
                }
            })),
        ];
        foreach (var reader in readers)
        {
            reader.Start();
        }

        begun.Wait(TestContext.Current.CancellationToken);

        // Grows and shrinks a few times, and places are taken by others.
        for (var wave = 0; wave < 4; wave++)
        {
            for (var i = 1; i < 10_000; i++)
            {
                state.Add(Found(Name(i), $"u{i % 100}"), 0, _ => false);
                if (i % 50 == 0)
                {
                    state.Add(Found(staying[i / 50 % staying.Length]), 0, _ => false);
                }
            }

            for (var i = 1; i < 10_000; i++)
            {
                state.Apply(Session(Name(i)), 0, _watches);
            }
        }

        Volatile.Write(ref isOver, true);
        foreach (var reader in readers)
        {
            reader.Join();
        }

        Assert.Equal(0, missed);
        Assert.Equal(staying.Length, state.Sessions.Count);
    }

    [Fact]
    public void What_an_entry_ended_is_known_to_no_check_that_begins_later_whatever_is_added_and_removed_meanwhile()
    {
        var holder = Fresh(_clock, int.MaxValue);
        using var begun = new CountdownEvent(2);
        var (ended, isOver, accepted) = (0, false, 0);
        Thread[] readers =
        [
            .. Enumerable.Range(0, 2).Select(_ => new Thread(() =>
            {
                for (var round = 0; !Volatile.Read(ref isOver); round++)
                {
                    // The last that was ended, and one before it, whose place is another's by now.
                    var last = Volatile.Read(ref ended);
                    foreach (var number in (int[])[last, last - (round % 100)])
                    {
                        if (number > 0 && holder.Check(Name(number)) == HolderVerdict.Known)
                        {
                            Interlocked.Increment(ref accepted);
                        }
                    }

                    if (round == 0)
                    {
                        begun.Signal();
                    }
                }
            })),
        ];
        foreach (var reader in readers)
        {
            reader.Start();
        }

        begun.Wait(TestContext.Current.CancellationToken);

        // Sessions come by the thousand and go one by one, so that the table grows, shrinks and gives places away; every third was read a second time.
        for (var wave = 0; wave < 5; wave++)
        {
            var first = (wave * 2_000) + 1;
            for (var number = first; number < first + 2_000; number++)
            {
                holder.See(Found(Name(number), $"u{number % 100}"));
                if (number % 3 == 0)
                {
                    holder.See(Found(Name(number), $"u{number % 100}"));
                }
            }

            for (var number = first; number < first + 2_000; number++)
            {
                holder.Apply([Session(Name(number))]);
                Volatile.Write(ref ended, number);
            }
        }

        Volatile.Write(ref isOver, true);
        foreach (var reader in readers)
        {
            reader.Join();
        }

        Assert.Equal((0, 0), (accepted, holder.Count));
    }

    [Fact]
    public void A_holder_that_lost_most_of_its_sessions_gives_their_places_back()
    {
        var state = State(int.MaxValue);
        for (var i = 1; i <= 5_000; i++)
        {
            state.Add(Found(Name(i, tenant: i % 100 == 0 ? "t" : "t2")), 0, _ => false);
        }

        state.Apply(Tenant("t2"), 0, _watches);

        Assert.Equal(50, state.Sessions.Count);
        Assert.InRange(state.Sessions.Room, 50, 200);
        Assert.All(Enumerable.Range(1, 50), i => Assert.True(state.Sessions.TryGetValue(Name(i * 100), out _)));
    }

    private HolderState State(int capacity) => new(Id(1), new Freshness(_clock, Terms.Lease, () => { }), 1, capacity);

    private static void Drop(Dictionary<SessionName, (string User, long Epoch)> model, Func<KeyValuePair<SessionName, (string User, long Epoch)>, bool> which)
    {
        foreach (var known in model.Where(which).ToList())
        {
            model.Remove(known.Key);
        }
    }

    private static string Copy(string text) => new(text.AsSpan());
}
