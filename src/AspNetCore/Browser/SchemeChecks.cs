using Microsoft.AspNetCore.Http;

namespace Grid.AspNetCore.Browser;

/// <summary>
/// What was found out for a request by each of several Grid schemes. Where there is one, its <see cref="RequestCheck"/> is the feature
/// itself.
/// </summary>
internal sealed class SchemeChecks
{
    private readonly List<(SessionRequests By, RequestCheck Check)> _all = [];

    /// <summary>The schemes that the endpoint's policy names; none if it names no Grid scheme.</summary>
    public IReadOnlyList<SessionRequests> Named { get; set; } = [];

    /// <summary>What the request goes by.</summary>
    public RequestCheck? Current => Best()?.Check;

    /// <summary>Whose check that is.</summary>
    public SessionRequests? CurrentBy => Best()?.By;

    /// <summary>The sessions that the request goes by: several if its endpoint's policy names several schemes.</summary>
    public IEnumerable<GridSession> Sessions =>
        Named.Count == 0 ? Current is { Outcome: RequestOutcome.Session, Session: { } only } ? [only] : []
        : Named.Select(Of).Where(check => check?.Outcome == RequestOutcome.Session).Select(check => check!.Session!);

    public static SchemeChecks Of(HttpContext context)
    {
        if (context.Features.Get<SchemeChecks>() is { } known)
        {
            return known;
        }

        var made = new SchemeChecks();
        context.Features.Set(made);
        return made;
    }

    public RequestCheck? Of(SessionRequests by) => _all.Find(one => ReferenceEquals(one.By, by)).Check;

    /// <summary>Keeps a scheme's check, in place of its former one.</summary>
    public void Put(SessionRequests by, RequestCheck check)
    {
        var at = _all.FindIndex(one => ReferenceEquals(one.By, by));
        if (at < 0)
        {
            _all.Add((by, check));
        }
        else
        {
            _all[at] = (by, check);
        }
    }

    /// <summary>The same for the copy of a request that a connection by long polling keeps.</summary>
    public SchemeChecks For(HttpContext context)
    {
        var mine = new SchemeChecks { Named = Named };
        mine._all.AddRange(_all.Select(one => (one.By, one.Check with { Session = one.Check.Session?.For(context) })));
        return mine;
    }

    // Those of an endpoint's own schemes, in their order, and no others; without any, in the order in which they were asked: the default
    // comes first. A session is worth more than why there is none.
    private (SessionRequests By, RequestCheck Check)? Best()
    {
        (SessionRequests By, RequestCheck Check)? best = null;
        foreach (var one in Named.Count == 0 ? _all : [.. Named.Select(by => (by, Of(by)!)).Where(one => one.Item2 is not null)])
        {
            if (best is null || Rank(one.Check) < Rank(best.Value.Check))
            {
                best = one;
            }
        }

        return best;
    }

    private static int Rank(RequestCheck check) => check.Outcome switch
    {
        RequestOutcome.Session => 0,
        RequestOutcome.InvalidClaims => 1,
        RequestOutcome.None => 3,
        _ => 2,
    };
}
