using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using Grid.Revocation.Tests.Simulation;

namespace Grid.Revocation.Tests.Vectors;

/// <summary>What holders in other languages are tried with: the edges of each rule, and chance.</summary>
internal static class VectorSchedules
{
    private const int Chances = 300;
    private const int Steps = 28;
    private const int L = 10_000;
    private const int W = 12_750;

    private static readonly SessionName A = Sample.Name(1, VectorRecorder.App, "public");
    private static readonly SessionName B = Sample.Name(2, VectorRecorder.App, "public");
    private static readonly SessionName C = Sample.Name(3, VectorRecorder.App, "t1");

    // The id of another tenant's session, which alone names nothing.
    private static readonly SessionName D = Sample.Name(1, VectorRecorder.App, "t1");

    private static readonly IReadOnlyList<SessionName> All = [A, B, C, D];

    public static IEnumerable<VectorRecorder> Everything() => [.. ByHand(), .. Enumerable.Range(1, Chances).Select(seed => ByChance((ulong)seed))];

    private static IEnumerable<VectorRecorder> ByHand() =>
    [
        Of("before the first renewal it is not fresh, and looks for nothing").StartLook(A).Begin().StartLook(A).StartRenewal().StartLook(A).CompleteRenewal(0).See(A),
        Fresh("the lease ends L after the renewal was sent").See(A).Pass(L - 1).Pass(1),
        Of("the lease counts from the sending, not from the answer").Begin().StartRenewal().Pass(4_000).CompleteRenewal(0).See(A).Pass(5_999).Pass(1),
        Fresh("an answer that was overtaken shortens nothing").See(A).StartRenewal().Pass(3_000).StartRenewal().CompleteRenewal(2).CompleteRenewal(1).Pass(9_999).Pass(1),
        Fresh("an answer that comes after the end of the lease that it gives").See(A).StartRenewal().Pass(L + 1).CompleteRenewal(1).Renew(),
        Fresh("a renewal of a former incarnation counts for nothing").See(A).StartRenewal().Forget().Begin().CompleteRenewal(1, One(A)).Renew().See(A),
        Fresh("a new incarnation knows nothing").See(A).See(B).Begin().Renew(),
        Fresh("what is forgotten is not vouched for").See(A).Forget(),
        Fresh("an ended session is unknown, and stays so").See(A).See(B).Apply(One(A)).See(A).Pass(W - 1).Renew().See(A).Pass(1).Renew().See(A),
        Fresh("one tenant's entry does not end the session of the same id of another").See(A).See(D).Apply(One(D)),
        Fresh("a look that was under way does not bring an ended session back").StartLook(A).Apply(One(A)).CompleteLook(0, "anna"),
        Fresh("an entry that came with a renewal makes looks void, too").StartLook(A).Renew(One(A)).CompleteLook(0, "anna"),
        Fresh("a user's earlier epochs end").See(A, epoch: 1).See(B, epoch: 2).See(C, epoch: 1).Apply(User(2)),
        Fresh("another user's sessions stay").See(A, "anna", 1).See(B, "bob", 1).Apply(User(2)),
        Fresh("the kept session of a user stays").See(A, epoch: 1).See(B, epoch: 1).Apply(User(2, kept: B)),
        Fresh("looks of a user's earlier epochs are void until W has passed").StartLook(A).StartLook(B).Apply(User(2)).CompleteLook(0, "anna", 1).CompleteLook(1, "anna", 2)
            .See(A, epoch: 1).Pass(W - 1).Renew().See(A, epoch: 1).Pass(1).Renew().See(A, epoch: 1),
        Fresh("of two entries of a user the greater epoch counts").Apply(User(3)).Apply(User(2)).See(A, epoch: 2).See(B, epoch: 3),
        Fresh("a later entry of a user prolongs the tombstone").Apply(User(3)).Pass(9_000).Renew().Apply(User(2)).Pass(4_000).Renew().See(A, epoch: 2),
        Fresh("a tenant ends, and the next one lives").See(A).See(C).Apply(Tenant("t1", 5)),
        Fresh("a look that was under way when a tenant ended is void, and a later one is not").StartLook(C).Apply(Tenant("t1", 5)).StartLook(C).CompleteLook(0, "anna").CompleteLook(1, "anna"),
        Fresh("a look of another tenant is not").StartLook(A).Apply(Tenant("t1", 5)).CompleteLook(0, "anna"),
        Fresh("an app ends").See(A).See(C).StartLook(B).Apply(App(5)).CompleteLook(0, "anna").See(B),
        Fresh("a kind that nobody knows ends everything").See(A).See(C).StartLook(B).Watch(A).Apply(Unknown(7)).CompleteLook(0, "anna").See(B).See(A),
        Fresh("a kind that nobody knows, read again, ends no watch").See(A).Apply(Unknown(7)).See(A).Watch(A).Renew(Unknown(7)).See(A).Renew(Unknown(8)),
        Fresh("an entry of a tenant that is read again ends no watch").Apply(Tenant("t1", 5)).See(C).Watch(C).Renew(Tenant("t1", 5)).See(C).Apply(Tenant("t1", 4)).See(C).Apply(Tenant("t1", 6)),
        Fresh("an entry without a place ends watches each time").Apply(Tenant("t1", 0)).See(C).Watch(C).Apply(Tenant("t1", 0)),
        Of("signing keys are learnt without a registration and outlive it").Apply(Key("d-1")).Begin(L, "s-2").Renew(Key("d-3")).Forget().Begin().Renew(),
        Fresh("a session is over when it expires, by the wall clock").See(A, expiresAt: 5_000).Pass(4_999).Pass(1).Renew().See(A, expiresAt: 9_000),
        Fresh("half a second between the clocks is none").See(A).Pass(1_000, 1_500).Pass(1_000, 1_001).Renew(),
        Fresh("nor is half a second backwards").See(A).Pass(1_000, 500).Pass(1_000, 999).Renew(),
        Fresh("clocks that drift apart end the lease").See(A).Pass(2_000, 2_200).Pass(2_000, 2_200).Pass(2_000, 2_200).Pass(2_000, 2_200),
        Fresh("a suspension that the monotonic clock did not count").See(A).Pass(0, 60_000).Renew(),
        Fresh("clocks that were apart at once are found apart once").See(A).Pass(0, 3_000).Pass(100).Check(A).Check(A),
        Fresh("a look that took W is void").StartLook(A).StartLook(B).Pass(W - 1).Renew().CompleteLook(0, "anna").Pass(1).CompleteLook(1, "anna"),
        Fresh("a look of a former incarnation is void").StartLook(A).Begin().Renew().CompleteLook(0, "anna"),
        Fresh("a look that finds nothing forgets").See(A).StartLook(A).CompleteLook(1, null),
        Fresh("a look that finds nothing ends the watches that were there").Watch(A).StartLook(A).Watch(A).Pass(1).Watch(A).CompleteLook(0, null),
        Fresh("a look that is overtaken by another one").StartLook(A).StartLook(A).CompleteLook(1, "anna").CompleteLook(0, null),
        Fresh("a void look ends no watch").Watch(A).StartLook(A).Begin().CompleteLook(0, null),
        Fresh("an entry ends all watches of its session, known or not").Watch(A).Watch(A).Watch(B).Apply(One(A)),
        Fresh("a watch that was left hears nothing").Watch(A).Watch(A).Unwatch(0).Apply(One(A)),
        Fresh("watches outlive lease and incarnation").See(A).Watch(A).Pass(2 * L).Forget().Begin().Renew().See(A).Apply(One(A)),
        Fresh("an expiry is seen by nobody until somebody looks").See(A, expiresAt: 2_000).Watch(A).Pass(2_000).StartLook(A).CompleteLook(1, null),
        Of("what is applied without a registration is not remembered").Apply(One(A)).Begin().Renew().See(A),
        Fresh("several entries at once").See(A).See(B, "bob").See(C).Apply(One(A), User(1, "bob"), Tenant("t1", 9), Key("d-9")),
        Of("a short lease").Begin(2_000).Renew().See(A).Apply(One(B)).Pass(1_999).Pass(1).Renew().Pass(749).Renew().See(B).Pass(1).Renew().See(B),
        Small("what was checked stays, the rest goes in order", 2).See(A).See(B).Check(A).See(C).Check(A).Check(B).Check(C),
        Small("what is watched stays", 1).See(A).Watch(A).See(B).Check(A).Check(B).See(C).Check(A).Check(B).Check(C),
        Small("the one just seen stays", 1).See(A).Check(A).See(B).Check(B).Check(A),
        Small("what was seen again is in line once more", 2).See(A).See(B).See(A).See(C).Check(A).Check(B).Check(C),
        Small("what is ended makes room", 2).See(A).See(B).Apply(One(A)).See(C).Check(B).Check(C),
    ];

    private static VectorRecorder Of(string name) => new(name, All);

    private static VectorRecorder Fresh(string name) => Of(name).Begin().Renew();

    private static VectorRecorder Small(string name, int capacity) => new VectorRecorder(name, All, capacity).Begin().Renew();

    private static RevocationEntry One(SessionName session, long position = 1) =>
        new() { Position = position, Kind = RevocationKind.Session, App = session.App, Tenant = session.Tenant, Session = session };

    private static RevocationEntry User(long epoch, string user = "anna", SessionName? kept = null, string tenant = "public") =>
        new() { Position = 1, Kind = RevocationKind.User, App = VectorRecorder.App, Tenant = tenant, UserId = user, Epoch = epoch, Kept = kept };

    private static RevocationEntry Tenant(string tenant, long position) => new() { Position = position, Kind = RevocationKind.Tenant, App = VectorRecorder.App, Tenant = tenant };

    private static RevocationEntry App(long position) => new() { Position = position, Kind = RevocationKind.App, App = VectorRecorder.App };

    private static RevocationEntry Key(string kid) => new() { Position = 1, Kind = RevocationKind.SigningKey, App = VectorRecorder.App, Kid = kid };

    private static RevocationEntry Unknown(long position) => new() { Position = position, Kind = (RevocationKind)99, App = VectorRecorder.App };

    private static VectorRecorder ByChance(ulong seed)
    {
        var dice = new Dice(seed);
        var isSmall = dice.Chance(0.2);
        var schedule = isSmall ? new VectorRecorder($"chance {seed}", All, 1 + dice.Below(3)) : new VectorRecorder($"chance {seed}", All);
        var lease = dice.Pick<int>([2_000, 3_000, L]);
        var pending = new List<int>();
        var renewing = new List<int>();
        schedule.Begin(lease).Renew();
        for (var step = 0; step < Steps; step++)
        {
            var session = dice.Pick(All);
            switch (dice.Below(100))
            {
                case < 14:
                    schedule.Pass(1 + dice.Below(lease / 5));
                    break;
                case < 17:
                    // About the length of a lease, or of W.
                    schedule.Pass(dice.Pick<int>([lease - 1, lease, (lease * 5 / 4) + 249, (lease * 5 / 4) + 250]));
                    break;
                case < 20:
                    schedule.Pass(dice.Below(400), dice.Below(2_000));
                    break;
                case < 34 when schedule.IsRegistered:
                    schedule.Renew([.. Entries(dice, dice.Below(2))]);
                    break;
                case < 38 when schedule.IsRegistered:
                    schedule.StartRenewal();
                    renewing.Add(schedule.Renewals - 1);
                    break;
                case < 44 when renewing.Count > 0:
                    schedule.CompleteRenewal(Take(dice, renewing), [.. Entries(dice, dice.Below(3))]);
                    break;
                case < 54:
                    schedule.StartLook(session);
                    if (schedule.IsLooking(schedule.Looks - 1))
                    {
                        pending.Add(schedule.Looks - 1);
                    }

                    break;
                case < 74 when pending.Count > 0:
                    var look = Take(dice, pending);
                    if (dice.Chance(0.15))
                    {
                        schedule.CompleteLook(look, null);
                    }
                    else
                    {
                        schedule.CompleteLook(look, UserOf(schedule.LookedFor(look)), dice.Below(3), dice.Chance(0.2) ? 4_000 * (1 + dice.Below(4)) : 1_000_000_000_000);
                    }

                    break;
                case < 86:
                    schedule.Apply([.. Entries(dice, 1 + dice.Below(2))]);
                    break;
                case < 92:
                    schedule.Watch(session);
                    break;
                case < 94 when schedule.Watches > 0:
                    schedule.Unwatch(dice.Below(schedule.Watches));
                    break;
                case < 95:
                    schedule.Forget();
                    break;
                case < 97:
                    schedule.Begin(lease);
                    break;
                default:
                    schedule.Check(session);
                    break;
            }
        }

        return schedule;
    }

    private static string UserOf(SessionName session) => session == B ? "bob" : "anna";

    private static int Take(Dice dice, List<int> from)
    {
        var at = dice.Below(from.Count);
        var taken = from[at];
        from.RemoveAt(at);
        return taken;
    }

    private static IEnumerable<RevocationEntry> Entries(Dice dice, int count)
    {
        for (var i = 0; i < count; i++)
        {
            yield return dice.Below(12) switch
            {
                < 6 => One(dice.Pick(All), dice.Below(10)),
                < 9 => User(1 + dice.Below(3), dice.Pick<string>(["anna", "bob"]), dice.Chance(0.3) ? A : null, "public"),
                9 => Tenant(dice.Pick<string>(["public", "t1"]), dice.Below(10)),
                10 => dice.Chance(0.5) ? App(dice.Below(10)) : Unknown(dice.Below(10)),
                _ => Key($"d-{dice.Below(3)}"),
            };
        }
    }
}
