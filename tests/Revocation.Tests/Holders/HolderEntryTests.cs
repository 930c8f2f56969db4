using Grid.Revocation.Holders;
using Grid.Revocation.Log;
using static Grid.Revocation.Tests.Sample;

namespace Grid.Revocation.Tests.Holders;

/// <summary>What entries of the log do to what a holder knows and to what it is looking for (h3, h4).</summary>
public sealed class HolderEntryTests
{
    private readonly ManualTime _clock = new();
    private readonly Holder _holder;

    public HolderEntryTests() => _holder = Fresh(_clock);

    public static TheoryData<RevocationEntry> Covering { get; } = [Session(Name()), User(epoch: 1), Tenant(), App()];

    [Theory]
    [MemberData(nameof(Covering))]
    public void An_entry_ends_what_it_covers_when_it_is_pushed(RevocationEntry entry)
    {
        _holder.See(Found(Name()));

        _holder.Apply([entry]);

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name()));
    }

    [Theory]
    [MemberData(nameof(Covering))]
    public void An_entry_ends_what_it_covers_when_it_is_read(RevocationEntry entry)
    {
        _holder.See(Found(Name()));

        _holder.Renew(entry);

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name()));
    }

    [Fact]
    public void An_entry_ends_nothing_else()
    {
        _holder.See(Found(Name(1)));

        _holder.Apply([Session(Name(2)), User(epoch: 1, user: "ben"), Tenant("t2"), App("elsewhere")]);

        Assert.Equal(HolderVerdict.Known, _holder.Check(Name(1)));
    }

    [Fact]
    public void A_session_that_was_known_to_a_request_is_over_for_it_too()
    {
        _holder.See(Found(Name()));
        _holder.Check(Name(), out var known);

        _holder.Apply([Session(Name())]);

        Assert.True(known!.IsOver);
    }

    [Fact]
    public void A_user_entry_ends_sessions_of_earlier_epochs_only()
    {
        _holder.See(Found(Name(1), epoch: 1));
        _holder.See(Found(Name(2), epoch: 2));

        _holder.Apply([User(epoch: 2)]);

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name(1)));
        Assert.Equal(HolderVerdict.Known, _holder.Check(Name(2)));
    }

    [Fact]
    public void A_user_entry_leaves_the_kept_session()
    {
        _holder.See(Found(Name(1)));
        _holder.See(Found(Name(2)));

        _holder.Apply([User(epoch: 1, kept: Name(2))]);

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name(1)));
        Assert.Equal(HolderVerdict.Known, _holder.Check(Name(2)));
    }

    [Fact]
    public void An_entry_of_an_unknown_kind_ends_everything()
    {
        _holder.See(Found(Name(1)));
        _holder.See(Found(Name(2, "other", "t2"), "ben"));

        _holder.Apply([Unknown()]);

        Assert.Equal(0, _holder.Count);
    }

    [Theory]
    [MemberData(nameof(Covering))]
    public void A_look_that_an_entry_overtakes_is_void(RevocationEntry entry)
    {
        var look = _holder.StartLook(Name())!;

        _holder.Apply([entry]);

        Assert.Equal(LookOutcome.Void, _holder.CompleteLook(look, Name(), Found(Name())));
        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name()));
    }

    [Fact]
    public void A_look_that_an_entry_about_others_overtakes_is_not_void()
    {
        var look = _holder.StartLook(Name())!;

        _holder.Apply([Session(Name(2)), User(epoch: 1, user: "ben"), Tenant("t2"), App("elsewhere")]);

        Assert.Equal(LookOutcome.Known, _holder.CompleteLook(look, Name(), Found(Name())));
    }

    [Fact]
    public void A_session_revoked_within_W_is_not_taken_from_a_server_that_is_behind()
    {
        _holder.Apply([Session(Name())]);
        _clock.Pass(Terms.Wait - TimeSpan.FromSeconds(1));
        _holder.Renew();

        Assert.Equal(LookOutcome.Void, _holder.CompleteLook(_holder.StartLook(Name())!, Name(), Found(Name())));
    }

    [Fact]
    public void What_is_gone_is_remembered_for_W_and_no_longer()
    {
        _holder.Apply([Session(Name(1))]);
        _clock.Pass(Terms.Wait);
        _holder.Renew(Session(Name(2)));

        Assert.False(_holder.State!.Tombstones.Covers(Found(Name(1)), applied: 0));
        Assert.True(_holder.State!.Tombstones.Covers(Found(Name(2)), applied: 0));
    }

    [Fact]
    public void What_is_gone_for_the_second_time_is_remembered_from_then()
    {
        _holder.Apply([Session(Name())]);
        _clock.Pass(Terms.Wait / 2);
        _holder.Renew(Session(Name()));
        _clock.Pass(Terms.Wait / 2);
        _holder.Renew(Session(Name(2)));

        Assert.True(_holder.State!.Tombstones.Covers(Found(Name()), applied: 0));
    }

    [Fact]
    public void After_a_user_entry_sessions_of_the_new_epoch_can_be_seen()
    {
        _holder.Apply([User(epoch: 3)]);

        Assert.Equal(LookOutcome.Void, _holder.CompleteLook(_holder.StartLook(Name(1))!, Name(1), Found(Name(1), epoch: 2)));
        Assert.Equal(LookOutcome.Known, _holder.CompleteLook(_holder.StartLook(Name(2))!, Name(2), Found(Name(2), epoch: 3)));
    }

    [Fact]
    public void After_a_tenant_entry_what_the_store_still_has_can_be_seen()
    {
        _holder.Apply([Tenant(), App()]);

        _holder.See(Found(Name()));

        Assert.Equal(HolderVerdict.Known, _holder.Check(Name()));
    }

    [Fact]
    public void A_look_that_took_W_is_void()
    {
        var look = _holder.StartLook(Name())!;
        _clock.Pass(Terms.Wait);
        _holder.Renew();

        Assert.Equal(LookOutcome.Void, _holder.CompleteLook(look, Name(), Found(Name())));
    }

    [Fact]
    public void A_look_of_a_former_incarnation_is_void()
    {
        var look = _holder.StartLook(Name())!;
        _holder.Begin(Id(101), Terms, []);
        _holder.Renew();

        Assert.Equal(LookOutcome.Void, _holder.CompleteLook(look, Name(), Found(Name())));
    }

    [Fact]
    public void A_session_that_the_store_has_not_is_over()
    {
        _holder.See(Found(Name()));

        Assert.Equal(LookOutcome.NotThere, _holder.CompleteLook(_holder.StartLook(Name())!, Name(), null));
        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name()));
    }

    [Fact]
    public void An_expired_session_is_not_vouched_for()
    {
        _holder.See(Found(Name(), expires: _clock.GetUtcNow() + TimeSpan.FromSeconds(1)));

        _clock.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name()));
    }

    [Theory]
    [InlineData("other", "t")]
    [InlineData("public", "t2")]
    public void A_session_is_known_in_its_own_tenant_only(string app, string tenant)
    {
        _holder.See(Found(Name(1)));

        Assert.Equal(HolderVerdict.Unknown, _holder.Check(Name(1, app, tenant)));
    }

    [Fact]
    public void A_signing_key_is_revoked_once_and_for_good()
    {
        List<(string App, string Kid)> told = [];
        _holder.RevokedKeys.Added += (app, kid) => told.Add((app, kid));

        _holder.Apply([Key("k1")]);
        _holder.Renew(Key("k1"));
        _holder.Begin(Id(101), Terms, [("public", "k1"), ("public", "k2")]);

        Assert.True(_holder.RevokedKeys.Contains("public", "k1"));
        Assert.True(_holder.RevokedKeys.Contains("public", "k2"));
        Assert.False(_holder.RevokedKeys.Contains("other", "k1"));
        Assert.Equal([("public", "k1"), ("public", "k2")], told);
    }

    [Fact]
    public void A_signing_key_is_revoked_also_for_who_is_not_registered()
    {
        _holder.Forget();

        _holder.Apply([Key("k1")]);

        Assert.True(_holder.RevokedKeys.Contains("public", "k1"));
    }

    [Fact]
    public void Listeners_hear_of_entries_after_they_were_applied()
    {
        _holder.See(Found(Name()));
        var verdict = HolderVerdict.Known;
        _holder.Applied += _ => verdict = _holder.Check(Name());

        _holder.Apply([Session(Name())]);

        Assert.Equal(HolderVerdict.Unknown, verdict);
    }
}
