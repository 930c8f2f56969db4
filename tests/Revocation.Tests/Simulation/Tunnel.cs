namespace Grid.Revocation.Tests.Simulation;

/// <summary>
/// How a connection's messages travel where the service is an Orleans client: as calls, which have numbers, may be lost, doubled, come in any order or
/// reach another silo. Those to the silo carry one message each, those that fetch are answered with what there is. A call that is not answered
/// in time, or has the wrong number, is the end.
/// </summary>
/// <param name="world">Where.</param>
/// <param name="link">What travels so.</param>
/// <param name="service">Who calls.</param>
/// <param name="silo">Who is called.</param>
internal sealed class Tunnel(World world, Link link, ILinkEnd service, Silo silo)
{
    private const int MaxAtOnce = 64;

    private static readonly TimeSpan SilenceAllowed = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SilenceAllowedToServices = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly Queue<Action> _unsent = new();
    private readonly Queue<Action> _unfetched = new();
    private bool _isSending;
    private bool _isFetching;
    private bool _isOverAtSilo;
    private long _sent;
    private long _fetched;
    private long _taken;
    private long _handedOut;
    private long _wait;
    private Action? _waiting;
    private TimeSpan? _heardAt;

    /// <summary>Called by the service.</summary>
    public void ToSilo(Action message)
    {
        _unsent.Enqueue(message);
        SendNext();
        if (!_isFetching)
        {
            _isFetching = true;
            Fetch();
        }
    }

    /// <summary>Called by the silo.</summary>
    public void ToService(Action message)
    {
        _unfetched.Enqueue(message);
        HandOut();
    }

    /// <summary>The silo's end is closed: what arrives from now on is refused.</summary>
    public void Close() => _isOverAtSilo = true;

    // One after the other: the next goes when the silo has taken the last.
    private void SendNext()
    {
        if (_isSending || !link.IsOpen || !_unsent.TryDequeue(out var message))
        {
            return;
        }

        _isSending = true;
        var number = ++_sent;
        Call(
            answer =>
            {
                if (++_taken != number)
                {
                    Abort();
                    return;
                }

                message();
                answer(() =>
                {
                    _isSending = false;
                    SendNext();
                });
            },
            () => link.Break());
    }

    private void Fetch()
    {
        if (!link.IsOpen)
        {
            return;
        }

        var number = ++_fetched;
        Call(
            answer =>
            {
                if (++_handedOut != number && world.Mistake != Mistake.FetchesOnAfterALostAnswer)
                {
                    Abort();
                    return;
                }

                _waiting = () =>
                {
                    List<Action> messages = [];
                    while (messages.Count < MaxAtOnce && _unfetched.TryDequeue(out var message))
                    {
                        messages.Add(message);
                    }

                    answer(() =>
                    {
                        foreach (var message in messages.TakeWhile(_ => link.IsOpen))
                        {
                            message();
                        }

                        Fetch();
                    });
                };
                var wait = ++_wait;
                world.Scheduler.After(LongestWait, silo.Process, () =>
                {
                    if (wait == _wait)
                    {
                        HandOut(evenNothing: true);
                    }
                });
                HandOut();
            },
            world.Mistake == Mistake.FetchesOnAfterALostAnswer ? Fetch : () => link.Break());
    }

    private void HandOut(bool evenNothing = false)
    {
        if (_waiting is { } waiting && (evenNothing || _unfetched.Count > 0))
        {
            _waiting = null;
            _wait++;
            waiting();
        }
    }

    /// <summary>A call of the silo that the service is connected to.</summary>
    /// <param name="arrived">In the silo; answers.</param>
    /// <param name="unanswered">In the service: the time is up.</param>
    private void Call(Action<Action<Action>> arrived, Action unanswered)
    {
        var isOver = false;
        world.Scheduler.After(SilenceAllowed, service.Process, () =>
        {
            if (!isOver)
            {
                isOver = true;
                unanswered();
            }
        });
        if (world.Dice.Chance(world.Settings.CallsAstray))
        {
            // Which knows nothing of this connection.
            world.Scheduler.After(world.Latency() + world.Latency(), service.Process, () => link.Break());
            return;
        }

        for (var copies = world.Dice.Chance(world.Settings.CallsAstray) ? 2 : 1; copies > 0; copies--)
        {
            if (Passes(service.Machine, silo.Machine))
            {
                world.Scheduler.After(world.Latency(), silo.Process, () =>
                {
                    if (_heardAt is null)
                    {
                        SimProcess.Observe(EndTheSilentAsync());
                    }

                    _heardAt = world.Scheduler.Now;
                    if (_isOverAtSilo)
                    {
                        Answer(() => link.Break());
                    }
                    else
                    {
                        arrived(Answer);
                    }
                });
            }
        }

        void Answer(Action take)
        {
            if (Passes(silo.Machine, service.Machine))
            {
                world.Scheduler.After(world.Latency(), service.Process, () =>
                {
                    if (!isOver)
                    {
                        isOver = true;
                        take();
                    }
                });
            }
        }
    }

    private bool Passes(Machine from, Machine to) =>
        from.Reaches(to) && !service.Machine.IsCutFromStore && !link.IsHalfOpen && !world.Dice.Chance(world.Settings.CallLoss);

    // The silo's end; the service's hears of it by what it calls next.
    private void Abort()
    {
        _isOverAtSilo = true;
        link.EndAtSilo();
    }

    private async Task EndTheSilentAsync()
    {
        while (!_isOverAtSilo)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), silo.Machine.Clock);
            if (world.Scheduler.Now - _heardAt > SilenceAllowedToServices)
            {
                Abort();
            }
        }
    }
}
