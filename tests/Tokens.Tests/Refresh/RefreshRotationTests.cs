using CsCheck;
using Grid.Tokens.Refresh;

namespace Grid.Tokens.Tests.Refresh;

/// <summary>The rules of "Verify" and "Refresh" in docs/protocol/core.md, newer and older, case by case.</summary>
public sealed class RefreshRotationTests
{
    private static readonly DateTimeOffset Rotated = Keys.Now;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TokenHash Current = H("current");
    private static readonly TokenHash Previous = H("previous");
    private static readonly TokenHash Candidate = H("candidate");
    private static readonly RefreshChain Chain = new(Current, Previous, Rotated);

    [Fact]
    public void Newer_the_current_token_rotates()
    {
        var decision = Newer(Current, null);

        Assert.Equal((RefreshVerdict.Rotated, true), (decision.Verdict, decision.ExtendsExpiry));
        Assert.Equal(new RefreshChain(Candidate, Current, At(5)), decision.Next);
    }

    [Fact]
    public void Newer_a_child_of_the_current_token_rotates_and_becomes_previous()
    {
        var decision = Newer(H("child"), Current);

        Assert.Equal(RefreshVerdict.Rotated, decision.Verdict);
        Assert.Equal(new RefreshChain(Candidate, H("child"), At(5)), decision.Next);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(30, true)]
    [InlineData(31, false)]
    public void Newer_the_previous_token_rotates_within_the_grace_and_displaces_the_current(int seconds, bool accepted)
    {
        var decision = RefreshRotation.DecideRefresh(Chain, Previous, null, Candidate, olderRules: false, Grace, At(seconds));

        if (accepted)
        {
            Assert.Equal((RefreshVerdict.RotatedWithinGrace, false), (decision.Verdict, decision.ExtendsExpiry));
            Assert.Equal(Chain with { Current = Candidate }, decision.Next);
        }
        else
        {
            Assert.Equal((RefreshVerdict.Reuse, ReuseKind.RecentPrevious), (decision.Verdict, decision.Reuse));
            Assert.Null(decision.Next);
        }
    }

    [Fact]
    public void Newer_the_displaced_child_is_dead()
    {
        var displaced = H("displaced");
        var afterwards = RefreshRotation.DecideRefresh(new RefreshChain(displaced, Previous, Rotated), Previous, null, Candidate, false, Grace, At(1)).Next!;

        var decision = RefreshRotation.DecideRefresh(afterwards, displaced, Previous, H("x"), false, Grace, At(2));

        Assert.Equal((RefreshVerdict.Reuse, ReuseKind.OrphanedBranch), (decision.Verdict, decision.Reuse));
    }

    [Fact]
    public void Newer_anything_else_is_stale() =>
        Assert.Equal(ReuseKind.StaleLineage, Newer(H("ancient"), H("older still")).Reuse);

    [Fact]
    public void Without_a_grace_the_previous_token_is_reuse_a_moment_later() =>
        Assert.Equal(RefreshVerdict.Reuse, RefreshRotation.DecideRefresh(Chain, Previous, null, Candidate, false, TimeSpan.Zero, At(1)).Verdict);

    [Fact]
    public void Older_the_current_token_gets_a_child_and_nothing_is_written()
    {
        var decision = Older(Current, null);

        Assert.Equal((RefreshVerdict.Child, false), (decision.Verdict, decision.ExtendsExpiry));
        Assert.Null(decision.Next);
    }

    [Fact]
    public void Older_a_child_of_the_current_token_is_promoted()
    {
        var decision = Older(H("child"), Current);

        Assert.Equal((RefreshVerdict.ChildAfterPromotion, true), (decision.Verdict, decision.ExtendsExpiry));
        Assert.Equal(new RefreshChain(H("child"), Current, At(5)), decision.Next);
    }

    [Fact]
    public void Older_knows_no_grace() => Assert.Equal(RefreshVerdict.Reuse, Older(Previous, null).Verdict);

    [Fact]
    public void First_use_of_a_childs_access_token_promotes_the_child()
    {
        var decision = RefreshRotation.DecidePromote(Chain, H("child"), Current, At(5));

        Assert.Equal(new PromoteDecision(true, new RefreshChain(H("child"), Current, At(5))), decision);
    }

    [Theory]
    [InlineData("current", null, true)]
    [InlineData("current", "previous", true)]
    [InlineData("previous", null, false)]
    [InlineData("other", "previous", false)]
    public void Other_access_tokens_promote_nothing(string token, string? parent, bool isCurrent) =>
        Assert.Equal(new PromoteDecision(isCurrent), RefreshRotation.DecidePromote(Chain, H(token), parent is null ? null : H(parent), At(5)));

    [Theory]
    [InlineData("current", null, true)]
    [InlineData("previous", null, true)]
    [InlineData("child", "current", true)]
    [InlineData("child", "previous", true)]
    [InlineData("other", null, false)]
    [InlineData("other", "stranger", false)]
    public void The_database_check_accepts_the_living_branch(string token, string? parent, bool live) =>
        Assert.Equal(live, RefreshRotation.IsLive(Chain, H(token), parent is null ? null : H(parent)));

    [Fact]
    public void Older_and_newer_clients_take_turns_on_one_session()
    {
        var chain = new RefreshChain(H("t0"));

        // An older client takes a child and uses it; a newer one rotates it; an older one takes a child of that.
        Assert.Null(RefreshRotation.DecideRefresh(chain, H("t0"), null, H("t1"), olderRules: true, Grace, At(0)).Next);
        chain = RefreshRotation.DecidePromote(chain, H("t1"), H("t0"), At(1)).Next!;
        chain = RefreshRotation.DecideRefresh(chain, H("t1"), H("t0"), H("t2"), olderRules: false, Grace, At(2)).Next!;
        Assert.Null(RefreshRotation.DecideRefresh(chain, H("t2"), H("t1"), H("t3"), olderRules: true, Grace, At(3)).Next);
        chain = RefreshRotation.DecideRefresh(chain, H("t3"), H("t2"), H("t4"), olderRules: false, Grace, At(4)).Next!;

        Assert.Equal(new RefreshChain(H("t4"), H("t3"), At(4)), chain);
        Assert.Equal(RefreshVerdict.Reuse, RefreshRotation.DecideRefresh(chain, H("t1"), H("t0"), H("x"), olderRules: true, Grace, At(5)).Verdict);
    }

    [Fact]
    public void Random_clients_agree_with_the_reference_model() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 40], Gen.Bool, Gen.Int[0, 20]).List[1, 60].Sample(steps =>
        {
            var chain = new RefreshChain(H("0"));
            var model = new Model();
            var time = 0;
            foreach (var (action, pick, older, wait) in steps)
            {
                time += wait;
                var token = pick % model.Tokens.Count;
                var parent = model.Tokens[token];
                var presentedParent = parent is null ? (TokenHash?)null : H($"{parent}");
                if (action == 0)
                {
                    var promote = RefreshRotation.DecidePromote(chain, H($"{token}"), presentedParent, At(time));
                    chain = promote.Next ?? chain;
                    Assert.Equal(model.Promote(token, time), promote.Next is not null);
                }
                else
                {
                    var candidate = model.Tokens.Count;
                    var decision = RefreshRotation.DecideRefresh(chain, H($"{token}"), presentedParent, H($"{candidate}"), older, Grace, At(time));
                    chain = decision.Next ?? chain;
                    Assert.Equal(model.Refresh(token, candidate, older, time), decision.Verdict);
                    if (decision.Verdict == RefreshVerdict.Reuse)
                    {
                        Assert.Null(decision.Next);
                    }
                    else
                    {
                        model.Tokens.Add(token);
                    }
                }

                Assert.Equal(H($"{model.Current}"), chain.Current);
                Assert.Equal(model.Previous is { } previous ? H($"{previous}") : null, chain.Previous);
            }
        }, seed: "0N0XIzNsQ0O2", iter: 3000);

    private static RefreshDecision Newer(TokenHash presented, TokenHash? parent) =>
        RefreshRotation.DecideRefresh(Chain, presented, parent, Candidate, olderRules: false, Grace, At(5));

    private static RefreshDecision Older(TokenHash presented, TokenHash? parent) =>
        RefreshRotation.DecideRefresh(Chain, presented, parent, Candidate, olderRules: true, Grace, At(5));

    private static DateTimeOffset At(int seconds) => Rotated.AddSeconds(seconds);

    private static TokenHash H(string text) => TokenHash.Of(text);

    /// <summary>The rules once more, on numbers: token n was refreshed from <c>Tokens[n]</c>.</summary>
    private sealed class Model
    {
        public List<int?> Tokens { get; } = [null];

        public int Current { get; private set; }

        public int? Previous { get; private set; }

        private int RotatedAt { get; set; }

        public bool Promote(int token, int time)
        {
            if (Tokens[token] != Current)
            {
                return false;
            }

            (Previous, Current, RotatedAt) = (Current, token, time);
            return true;
        }

        public RefreshVerdict Refresh(int token, int candidate, bool older, int time)
        {
            if (older)
            {
                return token == Current ? RefreshVerdict.Child
                    : Promote(token, time) ? RefreshVerdict.ChildAfterPromotion
                    : RefreshVerdict.Reuse;
            }

            if (token == Current || Tokens[token] == Current)
            {
                (Previous, Current, RotatedAt) = (token, candidate, time);
                return RefreshVerdict.Rotated;
            }

            if (token == Previous && time - RotatedAt <= 30)
            {
                Current = candidate;
                return RefreshVerdict.RotatedWithinGrace;
            }

            return RefreshVerdict.Reuse;
        }
    }
}
