using Grid.TestKit.History;

namespace Grid.Revocation.Tests.History;

/// <summary>Forged histories: what breaks a promise is found, what may happen is not.</summary>
public sealed class HistoryCheckerTests
{
    private readonly SessionHistory _history = new();

    public HistoryCheckerTests()
    {
        Made("s", "u", 0, 1);
        Made("other", "v", 0, 1);
    }

    [Fact]
    public void An_accept_that_starts_after_the_acknowledgement_is_found()
    {
        Revoked(new RevokeCall { Session = "s", Started = At(10), Acknowledged = At(20) });
        Verified("s", VerificationResult.Accepted, 20.001, 21);

        var violation = Assert.Single(HistoryChecker.Check(_history));
        Assert.Equal(ViolationKind.AcceptedAfterAcknowledgement, violation.Kind);
        Assert.Equal(At(20), violation.Revocation?.Acknowledged);
    }

    [Fact]
    public void An_accept_long_after_is_found_whatever_was_answered_between()
    {
        Revoked(new RevokeCall { Session = "s", Started = At(10), Acknowledged = At(20) });
        Verified("s", VerificationResult.Refused, 21, 22);
        Verified("s", VerificationResult.Unavailable, 22, 23);
        Verified("s", VerificationResult.Accepted, 500, 501);

        Assert.Equal(At(500), Assert.Single(HistoryChecker.Check(_history)).Verification.Started);
    }

    [Fact]
    public void A_refresh_is_judged_as_a_check_is()
    {
        _history.Add(new Verification { Session = "other", Verifier = "refresh: token theft", Result = VerificationResult.Refused, Started = At(2), Ended = At(3) });
        Revoked(new RevokeCall { Session = "s", Started = At(10), Acknowledged = At(20) });
        _history.Add(new Verification { Session = "s", Verifier = "refresh", Result = VerificationResult.Accepted, Started = At(21), Ended = At(22) });

        Assert.Equal(
            [ViolationKind.RefusedWithoutCause, ViolationKind.AcceptedAfterAcknowledgement], HistoryChecker.Check(_history).Select(violation => violation.Kind));
    }

    [Fact]
    public void The_first_acknowledgement_counts_whichever_call_began_first()
    {
        Revoked(new RevokeCall { Session = "s", Started = At(5), Acknowledged = At(90) });
        Revoked(new RevokeCall { App = "public", UserId = "u", Started = At(10), Acknowledged = At(20) });
        Revoked(new RevokeCall { Session = "s", Started = At(6) });
        Verified("s", VerificationResult.Accepted, 30, 31);

        Assert.Equal("u", Assert.Single(HistoryChecker.Check(_history)).Revocation?.UserId);
    }

    [Fact]
    public void A_session_that_was_promised_before_is_covered_though_it_was_made_after()
    {
        _history.Add(new MadeSession { Session = "promised", App = "public", Tenant = "t", UserId = "u", Started = At(1), Ordered = At(2), Acknowledged = At(30) });
        Revoked(new RevokeCall { App = "public", UserId = "u", Started = At(10), Acknowledged = At(20) });
        Verified("promised", VerificationResult.Accepted, 31, 32);

        Assert.Equal("promised", Assert.Single(HistoryChecker.Check(_history)).Verification.Session);
    }

    [Fact]
    public void A_session_that_was_promised_and_not_made_may_be_refused()
    {
        _history.Add(new MadeSession { Session = "promised", App = "public", Tenant = "t", UserId = "u", Started = At(1), Ordered = At(2) });
        Verified("promised", VerificationResult.Refused, 31, 32);

        Assert.Empty(HistoryChecker.Check(_history));
    }

    [Theory]
    [InlineData("t", "u")]
    [InlineData(null, "u")]
    [InlineData("t", null)]
    [InlineData(null, null)]
    public void A_revocation_of_many_covers_each_of_them(string? tenant, string? user)
    {
        Revoked(new RevokeCall { App = "public", Tenant = tenant, UserId = user, Started = At(10), Acknowledged = At(20) });
        Verified("s", VerificationResult.Accepted, 30, 31);

        Assert.Single(HistoryChecker.Check(_history));
    }

    [Theory]
    [InlineData("elsewhere", null, null)]
    [InlineData("public", "t2", null)]
    [InlineData("public", "t", "v")]
    public void A_revocation_of_others_covers_nothing(string app, string? tenant, string? user)
    {
        Revoked(new RevokeCall { App = app, Tenant = tenant, UserId = user, Started = At(10), Acknowledged = At(20) });
        Verified("s", VerificationResult.Accepted, 30, 31);

        Assert.Empty(HistoryChecker.Check(_history));
    }

    [Fact]
    public void A_session_that_was_revoked_without_being_known_is_covered()
    {
        Revoked(new RevokeCall { Session = "stranger", Started = At(10), Acknowledged = At(20) });
        Verified("stranger", VerificationResult.Accepted, 30, 31);

        Assert.Single(HistoryChecker.Check(_history));
    }

    [Fact]
    public void An_accept_that_overlaps_the_acknowledgement_is_legal()
    {
        Revoked(new RevokeCall { Session = "s", Started = At(10), Acknowledged = At(20) });
        Verified("s", VerificationResult.Accepted, 9, 11);
        Verified("s", VerificationResult.Accepted, 12, 30);
        Verified("s", VerificationResult.Accepted, 20, 30);

        Assert.Empty(HistoryChecker.Check(_history));
    }

    [Fact]
    public void Nothing_is_promised_by_a_revocation_that_was_not_acknowledged()
    {
        Revoked(new RevokeCall { Session = "s", Started = At(10) });
        Verified("s", VerificationResult.Accepted, 30, 31);
        Verified("s", VerificationResult.Refused, 32, 33);
        Verified("s", VerificationResult.Accepted, 34, 35);

        Assert.Empty(HistoryChecker.Check(_history));
    }

    [Fact]
    public void A_kept_session_lives_on()
    {
        Revoked(new RevokeCall { App = "public", Tenant = "t", UserId = "u", Kept = ["s"], Started = At(10), Acknowledged = At(20) });
        Verified("s", VerificationResult.Accepted, 30, 31);

        Assert.Empty(HistoryChecker.Check(_history));
    }

    [Fact]
    public void A_session_that_was_made_while_its_user_was_revoked_may_live()
    {
        Revoked(new RevokeCall { App = "public", Tenant = "t", UserId = "u", Started = At(10), Acknowledged = At(20) });
        Made("overlapping", "u", 9, 10.5);
        Made("later", "u", 21, 22);
        Verified("overlapping", VerificationResult.Accepted, 30, 31);
        Verified("later", VerificationResult.Accepted, 30, 31);

        Assert.Empty(HistoryChecker.Check(_history));
    }

    [Fact]
    public void A_session_whose_making_was_not_acknowledged_exists_once_it_was_accepted()
    {
        Made("unknown", "u", 2, null);
        Made("unseen", "u", 2, null);
        Verified("unknown", VerificationResult.Accepted, 8, 9);
        Revoked(new RevokeCall { App = "public", Tenant = "t", UserId = "u", Started = At(10), Acknowledged = At(20) });
        Verified("unknown", VerificationResult.Accepted, 30, 31);
        Verified("unseen", VerificationResult.Accepted, 30, 31);

        Assert.Equal("unknown", Assert.Single(HistoryChecker.Check(_history)).Verification.Session);
    }

    [Fact]
    public void A_refusal_of_a_session_that_nobody_revokes_is_found()
    {
        Verified("s", VerificationResult.Refused, 30, 31);

        Assert.Equal(ViolationKind.RefusedWithoutCause, Assert.Single(HistoryChecker.Check(_history)).Kind);
    }

    [Fact]
    public void A_refusal_that_may_have_a_cause_is_legal()
    {
        Made("short", "u", 0, 1, expires: 15);
        Made("slow", "u", 0, 40);
        Revoked(new RevokeCall { Session = "s", Started = At(10) });
        Verified("s", VerificationResult.Refused, 9, 10);
        Verified("short", VerificationResult.Refused, 14, 15);
        Verified("slow", VerificationResult.Refused, 39, 41);
        Verified("other", VerificationResult.Unavailable, 5, 6);

        Assert.Empty(HistoryChecker.Check(_history));
    }

    [Fact]
    public void A_million_answers_take_a_moment()
    {
        for (var i = 0; i < 10_000; i++)
        {
            Made($"s{i}", $"u{i % 100}", i, i + 1);
            Revoked(new RevokeCall { Session = $"s{i}", Started = At(20_000 + i), Acknowledged = At(20_001 + i) });
        }

        for (var i = 0; i < 1_000_000; i++)
        {
            Verified($"s{i % 10_000}", VerificationResult.Accepted, 20_000 + (i % 10_000) + (i == 999_999 ? 2 : 0), 40_000);
        }

        Assert.Single(HistoryChecker.Check(_history));
    }

    [Fact]
    public void A_theft_that_none_was_is_found()
    {
        Refreshed("s", "r0", "r1", 2, 3);
        Refreshed("s", "r1", RefreshOutcome.Theft, 5, 6);

        Found(ViolationKind.FalseTheft, "s");
    }

    [Fact]
    public void A_theft_after_an_answer_that_was_lost_is_found()
    {
        Refreshed("s", "r0", RefreshOutcome.Unknown, 2, 3);
        Refreshed("s", "r0", RefreshOutcome.Theft, 3, 4);

        Found(ViolationKind.FalseTheft, "s");
    }

    [Fact]
    public void A_theft_of_a_token_whose_successor_nobody_has_shown_is_found_within_the_grace()
    {
        Refreshed("s", "r0", "r1", 2, 3);
        Refreshed("s", "r0", RefreshOutcome.Theft, 30, 31.9);

        Found(ViolationKind.FalseTheft, "s");
    }

    [Fact]
    public void A_token_that_was_answered_and_is_refused_is_found()
    {
        Refreshed("s", "r0", "r1", 2, 3);
        Refreshed("s", "r1", RefreshOutcome.Unauthorised, 5, 6);

        Found(ViolationKind.RefreshLost, "s");
    }

    [Fact]
    public void A_first_token_that_is_refused_signs_somebody_out()
    {
        Refreshed("s", "r0", RefreshOutcome.Unauthorised, 5, 6);

        Found(ViolationKind.RefusedWithoutCause, "s");
    }

    [Fact]
    public void A_refresh_after_the_acknowledgement_is_found()
    {
        Revoked(new RevokeCall { Session = "s", Started = At(10), Acknowledged = At(20) });
        Refreshed("s", "r0", "r1", 21, 22);

        Found(ViolationKind.AcceptedAfterAcknowledgement, "s");
    }

    [Fact]
    public void A_lost_answer_and_a_retry_are_legal()
    {
        Refreshed("s", "r0", RefreshOutcome.Unknown, 2, 3);
        Refreshed("s", "r0", "r1", 3, 4);
        Refreshed("s", "r1", "r2", 5, 6);

        Assert.Empty(HistoryChecker.Check(_history, Stored(["s", "other"])));
    }

    [Fact]
    public void A_theft_of_a_token_that_was_replaced_ends_the_session()
    {
        Refreshed("s", "r0", "r1", 2, 3);
        Refreshed("s", "r1", "r2", 4, 5);
        Refreshed("s", "r0", RefreshOutcome.Theft, 6, 7);
        Refreshed("s", "r2", RefreshOutcome.Unauthorised, 8, 9);
        Verified("s", VerificationResult.Refused, 8, 9);

        Assert.Empty(HistoryChecker.Check(_history, Stored(["other"])));
    }

    [Fact]
    public void A_theft_of_a_token_that_came_too_late_is_legal()
    {
        Refreshed("s", "r0", RefreshOutcome.Unknown, 2, 3);
        Refreshed("s", "r0", RefreshOutcome.Theft, 32, 33);

        Assert.Empty(HistoryChecker.Check(_history));
    }

    [Fact]
    public void A_session_that_the_store_has_lost_is_found()
    {
        Assert.Empty(HistoryChecker.Check(_history, Stored(["s", "other"])));

        Assert.Equal((ViolationKind.SessionLost, "s"), Only(HistoryChecker.Check(_history, Stored(["other"]))));
    }

    [Fact]
    public void A_revocation_that_the_store_has_lost_is_found()
    {
        Revoked(new RevokeCall { App = "public", UserId = "u", Started = At(10), Acknowledged = At(20) });
        Assert.Empty(HistoryChecker.Check(_history, Stored(["other"])));

        Assert.Equal((ViolationKind.RevocationLost, "s"), Only(HistoryChecker.Check(_history, Stored(["s", "other"]))));
    }

    [Fact]
    public void A_row_that_is_there_twice_is_found() =>
        Assert.Equal((ViolationKind.DuplicateRow, "s"), Only(HistoryChecker.Check(_history, Stored(["s", "other", "s"]))));

    [Fact]
    public void A_second_row_of_one_call_is_found()
    {
        _history.Add(new MadeSession { Session = "third", Attempt = "3", App = "public", Tenant = "t", UserId = "u", Started = At(1), Acknowledged = At(2) });
        _history.Add(new MadeSession { Session = "call 4", Attempt = "4", App = "public", Tenant = "t", UserId = "u", Started = At(1) });

        Assert.Empty(HistoryChecker.Check(_history, Stored(["s", "other"], ("third", "3"))));
        Assert.Empty(HistoryChecker.Check(_history, Stored(["s", "other"], ("third", "3"), ("fourth", "4"))));
        Assert.Equal((ViolationKind.DuplicateRow, "twin"), Only(HistoryChecker.Check(_history, Stored(["s", "other"], ("third", "3"), ("twin", "3")))));
        Assert.Equal((ViolationKind.DuplicateRow, "twin"), Only(HistoryChecker.Check(_history, Stored(["s", "other"], ("third", "3"), ("fourth", "4"), ("twin", "4")))));
    }

    [Fact]
    public void A_row_that_nobody_asked_for_is_found()
    {
        Assert.Equal((ViolationKind.UnknownRow, "stranger"), Only(HistoryChecker.Check(_history, Stored(["s", "other"], ("stranger", "17")))));
        Assert.Equal((ViolationKind.UnknownRow, "stranger"), Only(HistoryChecker.Check(_history, Stored(["s", "other", "stranger"]))));
    }

    [Fact]
    public void A_revocation_that_was_written_twice_is_found() =>
        Assert.Equal((ViolationKind.DuplicateRow, "session s"), Only(HistoryChecker.Check(_history, Stored(["s", "other"]) with { Ends = ["session s", "user u 1", "session s"] })));

    [Fact]
    public void What_a_revocation_that_was_not_acknowledged_leaves_is_legal()
    {
        Revoked(new RevokeCall { Session = "s", Started = At(10) });

        Assert.Empty(HistoryChecker.Check(_history, Stored(["s", "other"])));
        Assert.Empty(HistoryChecker.Check(_history, Stored(["other"])));
    }

    private static (ViolationKind Kind, string Session) Only(IReadOnlyList<HistoryViolation> violations) =>
        Assert.Single(violations) is var violation ? (violation.Kind, violation.Verification.Session) : default;

    private static StoreImage Stored(string[] sessions, params (string Session, string Attempt)[] more) => new()
    {
        Sessions = [.. sessions.Select(session => new StoredSession(session, null)), .. more.Select(row => new StoredSession(row.Session, row.Attempt))],
        Ends = [],
        At = At(1000),
    };

    private void Found(ViolationKind kind, string session) => Assert.Equal((kind, session), Only(HistoryChecker.Check(_history)));

    private void Refreshed(string session, string presented, string issued, double started, double ended) => _history.Add(
        new RefreshCall { Session = session, Presented = presented, Issued = issued, Outcome = RefreshOutcome.Rotated, Started = At(started), Ended = At(ended) });

    private void Refreshed(string session, string presented, RefreshOutcome outcome, double started, double ended) => _history.Add(
        new RefreshCall { Session = session, Presented = presented, Outcome = outcome, Started = At(started), Ended = At(ended) });

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private void Made(string session, string user, double started, double? acknowledged, double? expires = null) => _history.Add(new MadeSession
    {
        Session = session,
        App = "public",
        Tenant = "t",
        UserId = user,
        Started = At(started),
        Acknowledged = acknowledged is { } at ? At(at) : null,
        Expires = expires is { } end ? At(end) : null,
    });

    private void Revoked(RevokeCall call) => _history.Add(call);

    private void Verified(string session, VerificationResult result, double started, double ended) =>
        _history.Add(new Verification { Session = session, Verifier = "front-1", Result = result, Started = At(started), Ended = At(ended) });
}
