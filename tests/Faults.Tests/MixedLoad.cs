using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grid.TestKit.History;

namespace Grid.Faults.Tests;

/// <summary>Verify 70 %, refresh 15 %, create 8 %, revoke 5 %, revoke-all 2 %, on silos and services chosen at random; everything is written down.</summary>
/// <remarks>
/// Each acknowledged revocation is followed at once by verifications of what it ended on all silos and services. Verifiers are numbered:
/// the silos first, then the services.
/// </remarks>
/// <param name="cluster">Who is asked.</param>
/// <param name="seed">Of what is chosen at random.</param>
internal sealed class MixedLoad(Cluster cluster, int seed = 0)
{
    private const int Workers = 8;

    // Of what changes something: a client repeats it elsewhere when it has not heard what became of it.
    private const int Attempts = 3;
    private const int Users = 40;

    // A little less than the previous refresh token is good for: a client that comes later with it is signed out by the rules.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(25);

    private static readonly Stopwatch Clock = Stopwatch.StartNew();

    private readonly ConcurrentDictionary<string, Client> _sessions = new();
    private readonly List<RevokeReceipt> _receipts = [];
    private readonly ConcurrentQueue<TimeSpan> _revocationTimes = new();
    private readonly ConcurrentQueue<(TimeSpan At, string? Failure)> _atDoors = new();
    private int _attempts;
    private int _sent;
    private long _answered;
    private long _unavailable;

    public SessionHistory History { get; } = new();

    /// <summary>How long a worker waits for anything but a revocation.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Requests that were answered, and those that were not or with 503.</summary>
    public (long Answered, long Unavailable) Requests => (Interlocked.Read(ref _answered), Interlocked.Read(ref _unavailable));

    /// <summary>Of every so many requests that change something the answer is lost, once the cluster can lose answers; 0: of none.</summary>
    public int LosesEvery { get; set; }

    /// <summary>How long after one operation the worker waits before the next.</summary>
    public TimeSpan Pause { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Requests to silos, or to the balancer before them, and what each met instead of an answer; null: it was answered.</summary>
    public IReadOnlyCollection<(TimeSpan At, string? Failure)> AtDoors => _atDoors;

    /// <summary>How long each acknowledged revocation took, from request to answer.</summary>
    public IReadOnlyCollection<TimeSpan> RevocationTimes => _revocationTimes;

    /// <summary>By the history's clock.</summary>
    public static TimeSpan Now => Clock.Elapsed;

    public int Verifiers => cluster.Silos.Length + cluster.Services.Length;

    /// <summary>Who makes, refreshes and revokes: the silos, and behind them the service that is an Orleans client, if there is one.</summary>
    private int Entries => cluster.Silos.Length + (cluster.HasGrainService ? 1 : 0);

    /// <summary>How many revocations of one session each entry has had acknowledged.</summary>
    public ConcurrentDictionary<int, int> Revokers { get; } = new();

    /// <summary>Revocations from this one on began when everybody was at work.</summary>
    public int ReceiptsAtWork { get; private set; }

    public IReadOnlyList<RevokeReceipt> Receipts
    {
        get
        {
            lock (_receipts)
            {
                return [.. _receipts];
            }
        }
    }

    /// <summary>Everybody is: from here on receipts are as they should be, but for those that are under way.</summary>
    public void IsAtWork() => ReceiptsAtWork = Receipts.Count + Workers;

    /// <summary>Runs until told to stop.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(new Random((seed * Workers) + worker), stop), CancellationToken.None)));

    /// <summary>Shows the tokens of sessions that were revoked to one verifier.</summary>
    public Task AskForRevokedAsync(int verifier, int count) => Task.WhenAll(
        _sessions.Values.Where(session => session.IsRevoked).TakeLast(count).Select(session => VerifyAsync(verifier, session, checkDatabase: false, untilAnswered: true)));

    /// <summary>Makes a session that no verifier has seen, and shows it to one until it is accepted.</summary>
    /// <returns>How long that took from now on.</returns>
    public async Task<TimeSpan> UntilGreenAsync(int verifier, TimeSpan most)
    {
        var since = Clock.Elapsed;
        Client? session = null;
        while (Clock.Elapsed - since < most)
        {
            // Not one that another worker has chosen to revoke.
            session = session is { IsBeingRevoked: false } ? session : await CreateAsync(0, "green");
            if (session is not null && await VerifyAsync(verifier, session, checkDatabase: false) == VerificationResult.Accepted)
            {
                return Clock.Elapsed - since;
            }

            await Task.Delay(20, CancellationToken.None);
        }

        var said = verifier < cluster.Silos.Length ? cluster.Silos[verifier].Output : cluster.Services[verifier - cluster.Silos.Length].Output;
        throw new TimeoutException($"Verifier {verifier} accepts nobody after {most}; it said last: {said[Math.Max(0, said.Length - 4000)..]}");
    }

    /// <summary>Refreshes each session of which nobody knows whether its last refresh came about, or each that lives: all of them must go on.</summary>
    public Task RefreshAsync(bool all) => Task.WhenAll(_sessions.Values
        .Where(session => !session.IsBeingRevoked && (all || session.DoubtfulSince is not null))
        .Select(session => RefreshAsync(0, session, untilAnswered: true)));

    /// <summary>Makes a session for a drill's own use, which no worker revokes.</summary>
    public async Task<string?> CreateOwnAsync(string user)
    {
        var session = await CreateAsync(0, user);
        if (session is not null)
        {
            session.IsBeingRevoked = true;
        }

        return session?.Handle;
    }

    /// <summary>Revokes one of those.</summary>
    public Task RevokeOwnAsync(string handle) => RevokeAsync(0, _sessions[handle], CancellationToken.None);

    /// <summary>Shows a session's token to all of a crowd.</summary>
    /// <returns>How many accepted it, refused it, and could not say.</returns>
    public async Task<(int Accepted, int Refused, int Unavailable)> AskCrowdAsync(int crowd, string handle)
    {
        var session = _sessions[handle];
        var started = Clock.Elapsed;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/crowd") { Content = JsonContent.Create(new JsonObject { ["accessToken"] = session.AccessToken }) };
        var answer = await SendAsync(cluster.Crowds[crowd].Process.Http, request, untilAnswered: true) is { Status: 200, Text: var text } ? JsonNode.Parse(text)!.AsObject() : null;
        var counts = ((int)(answer?["accepted"] ?? 0), (int)(answer?["refused"] ?? 0), (int)(answer?["unavailable"] ?? 0));
        foreach (var (result, count) in new[] { (VerificationResult.Accepted, counts.Item1), (VerificationResult.Refused, counts.Item2), (VerificationResult.Unavailable, counts.Item3) })
        {
            if (count > 0)
            {
                History.Add(new Verification { Session = handle, Verifier = $"{count} of crowd {crowd}", Result = result, Started = started, Ended = Clock.Elapsed });
            }
        }

        return counts;
    }

    /// <summary>Shows each living session's token to one verifier.</summary>
    /// <returns>How many were accepted, refused, and not answered.</returns>
    public async Task<(int Accepted, int Refused, int Unavailable)> AskForLivingAsync(int verifier, int count)
    {
        var results = await Task.WhenAll(_sessions.Values.Where(session => !session.IsBeingRevoked).Take(count).Select(session => VerifyAsync(verifier, session, checkDatabase: false)));
        return (results.Count(r => r == VerificationResult.Accepted), results.Count(r => r == VerificationResult.Refused), results.Count(r => r == VerificationResult.Unavailable));
    }

    private async Task WorkAsync(Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var entry = random.Next(Entries);
            var living = _sessions.Values.Where(session => !session.IsBeingRevoked).ToList();
            var session = living.Count > 0 ? living[random.Next(living.Count)] : null;
            var dice = random.Next(100);
            switch (dice)
            {
                case < 70 when session is not null:
                    await VerifyAsync(random.Next(Verifiers), session, checkDatabase: dice < 20);
                    break;
                case < 85 when session is { MayBeRefreshed: true }:
                    await RefreshAsync(entry, session, retries: Attempts - 1);
                    break;
                case < 93 or < 85:
                    await CreateAsync(entry, $"user-{random.Next(Users)}");
                    break;
                case < 98 when session is not null:
                    await RevokeAsync(entry, session, stop);
                    break;
                default:
                    await RevokeAllAsync(entry, $"user-{random.Next(Users)}", stop);
                    break;
            }

            // The machine has other things to do than to be loaded: it is the order of events that counts.
            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task<Client?> CreateAsync(int entry, string user)
    {
        var started = Clock.Elapsed;
        var attempt = Interlocked.Increment(ref _attempts).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var made = await PostAsync(entry, "/recipe/session", new JsonObject
        {
            ["userId"] = user,
            ["enableAntiCsrf"] = false,
            ["userDataInJWT"] = new JsonObject(),
            ["userDataInDatabase"] = new JsonObject { ["attempt"] = attempt },
        }, mayBeLost: true);
        var handle = (string?)made?["session"]!["handle"];
        History.Add(new MadeSession
        {
            Session = handle ?? $"of attempt {attempt}",
            Attempt = attempt,
            App = "public",
            Tenant = "public",
            UserId = user,
            Started = started,
            Acknowledged = made is null ? null : Clock.Elapsed,
        });
        return handle is null ? null : _sessions[handle] = new Client(handle, user, (string)made!["accessToken"]!["token"]!, (string)made["refreshToken"]!["token"]!);
    }

    private async Task<VerificationResult> VerifyAsync(int verifier, Client session, bool checkDatabase, bool untilAnswered = false)
    {
        var started = Clock.Elapsed;
        var service = verifier - cluster.Silos.Length;
        var result = service < 0
            ? await AskSiloAsync(verifier, session, checkDatabase, untilAnswered)
            : await AskServiceAsync(service, session, untilAnswered);
        History.Add(new Verification
        {
            Session = session.Handle,
            Verifier = service < 0 ? $"silo {verifier}" : $"service {service}",
            Result = result,
            Started = started,
            Ended = Clock.Elapsed,
        });
        return result;
    }

    private async Task<VerificationResult> AskSiloAsync(int silo, Client session, bool checkDatabase, bool untilAnswered)
    {
        var answer = await PostAsync(silo, "/recipe/session/verify", new JsonObject
        {
            ["accessToken"] = session.AccessToken,
            ["enableAntiCsrf"] = false,
            ["doAntiCsrfCheck"] = false,
            ["checkDatabase"] = checkDatabase,
        }, untilAnswered);
        return ((string?)answer?["status"], (string?)answer?["message"]) switch
        {
            ("OK", _) => VerificationResult.Accepted,

            // Another worker has just refreshed it: of this token, not of the session.
            ("UNAUTHORISED", "rotated-out token branch; refresh required") => VerificationResult.Unavailable,
            ("UNAUTHORISED", _) => VerificationResult.Refused,
            _ => VerificationResult.Unavailable,
        };
    }

    private async Task<VerificationResult> AskServiceAsync(int service, Client session, bool untilAnswered)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/me") { Headers = { { "Authorization", $"Bearer {session.AccessToken}" } } };
        var answer = await SendAsync(cluster.Services[service].Http, request, untilAnswered);

        // "try refresh token" would say nothing of the session.
        return (answer?.Status, answer?.Text) switch
        {
            (200, _) => VerificationResult.Accepted,
            (401, """{"message":"unauthorised"}""") => VerificationResult.Refused,
            _ => VerificationResult.Unavailable,
        };
    }

    private async Task RefreshAsync(int entry, Client session, bool untilAnswered = false, int retries = 0)
    {
        // By one worker at a time: a browser does the same.
        if (session.IsTooLate(Clock.Elapsed - Grace) || !session.TryTake())
        {
            return;
        }

        // What was not answered is asked again, elsewhere. Not if it may still be on its way: it counts when it arrives.
        var (isAnswered, isOver) = (false, false);
        for (var i = 0; !isAnswered && !isOver && i <= retries; i++, entry = (entry + 1) % Entries)
        {
            await Task.Delay(i == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(50), CancellationToken.None);
            (isAnswered, isOver) = await RefreshOnceAsync(entry, session, untilAnswered);
        }

        session.GiveBack();
    }

    private async Task<(bool IsAnswered, bool MayStillArrive)> RefreshOnceAsync(int entry, Client session, bool untilAnswered)
    {
        var (started, presented) = (Clock.Elapsed, session.RefreshToken);
        var answer = await PostAsync(
            entry, "/recipe/session/refresh", new JsonObject { ["refreshToken"] = presented, ["enableAntiCsrf"] = false, ["useDynamicSigningKey"] = true }, untilAnswered, mayBeLost: true);
        var status = (string?)answer?["status"];
        var ended = Clock.Elapsed;
        if (status == "OK")
        {
            session.Refreshed((string)answer!["accessToken"]!["token"]!, (string)answer["refreshToken"]!["token"]!);
        }
        else
        {
            // A loss that we made ourselves is over, and that of a break may not be.
            session.DoubtfulSince ??= started;
            session.MayBeRefreshed &= LosesEvery > 0 && ended - started < Patience;
        }

        History.Add(new RefreshCall
        {
            Session = session.Handle,
            Verifier = entry < cluster.Silos.Length ? $"silo {entry}" : "the service over Orleans",
            Presented = presented,
            Issued = status == "OK" ? session.RefreshToken : null,
            Outcome = status switch
            {
                null => RefreshOutcome.Unknown,
                "OK" => RefreshOutcome.Rotated,
                _ => status.Contains("theft", StringComparison.OrdinalIgnoreCase) ? RefreshOutcome.Theft : RefreshOutcome.Unauthorised,
            },
            Started = started,
            Ended = ended,
        });
        return (status is not null, ended - started >= Patience);
    }

    private async Task RevokeAsync(int entry, Client session, CancellationToken stop)
    {
        session.IsBeingRevoked = true;
        await RevokeAsync(
            entry,
            new JsonObject { ["sessionHandles"] = new JsonArray(session.Handle) },
            (started, acknowledged) => new RevokeCall { Session = session.Handle, Started = started, Acknowledged = acknowledged },
            [session],
            stop);
    }

    private Task RevokeAllAsync(int entry, string user, CancellationToken stop)
    {
        var concerned = _sessions.Values.Where(session => session.User == user && !session.IsRevoked).ToList();
        concerned.ForEach(session => session.IsBeingRevoked = true);
        return RevokeAsync(
            entry,
            new JsonObject { ["userId"] = user },
            (started, acknowledged) => new RevokeCall { App = "public", UserId = user, Started = started, Acknowledged = acknowledged },
            concerned,
            stop);
    }

    // A repetition covers what was made before it began, and the history has each attempt.
    private async Task RevokeAsync(int entry, JsonObject what, Func<TimeSpan, TimeSpan?, RevokeCall> call, IReadOnlyList<Client> concerned, CancellationToken stop)
    {
        for (var i = 0; i < Attempts && (i == 0 || !stop.IsCancellationRequested); i++, entry = (entry + 1) % Entries)
        {
            await Task.Delay(i == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(50), CancellationToken.None);
            var started = Clock.Elapsed;
            var receipt = await PostAsync(entry, "/session/revoke", what.DeepClone().AsObject(), untilAnswered: true, mayBeLost: true);
            var acknowledged = receipt is null ? (TimeSpan?)null : Clock.Elapsed;
            var isOfOne = what.ContainsKey("sessionHandles");
            Revokers.AddOrUpdate(entry, receipt is null || !isOfOne ? 0 : 1, (_, sofar) => sofar + (receipt is null || !isOfOne ? 0 : 1));
            History.Add(call(started, acknowledged));
            if (receipt is not null)
            {
                _revocationTimes.Enqueue(acknowledged!.Value - started);
                await AfterAsync(receipt, concerned);
                return;
            }
        }
    }

    private async Task AfterAsync(JsonObject receipt, IReadOnlyList<Client> ended)
    {
        foreach (var session in ended)
        {
            session.IsRevoked = true;
        }

        // An empty user has no entry, and nobody to ask.
        if ((long)receipt["position"]! > 0)
        {
            lock (_receipts)
            {
                _receipts.Add(new RevokeReceipt((int)receipt["holders"]!["confirmed"]!, (int)receipt["holders"]!["waitedOut"]!));
            }
        }

        await Task.WhenAll(ended.Take(5).SelectMany(session => Enumerable.Range(0, Verifiers).Select(verifier => VerifyAsync(verifier, session, checkDatabase: false))));
    }

    private async Task<JsonObject?> PostAsync(int entry, string path, JsonObject body, bool untilAnswered = false, bool mayBeLost = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        var isSilo = entry < cluster.Silos.Length;
        var isLost = isSilo && mayBeLost && LosesEvery > 0 && Interlocked.Increment(ref _sent) % LosesEvery == 0;
        var since = Clock.Elapsed;
        var (answer, failure) = await TrySendAsync(
            isLost ? cluster.LosingDoor(entry)! : isSilo ? cluster.Door(entry) : cluster.Services[Cluster.GrainService].Http, request, untilAnswered);
        if (isSilo && !isLost)
        {
            _atDoors.Enqueue((since, failure is null ? null : $"{path} after {(Clock.Elapsed - since).TotalMilliseconds:F0} ms: {failure}"));
        }

        return answer is { Status: 200, Text: var text } ? JsonNode.Parse(text)!.AsObject() : null;
    }

    private async Task<(int Status, string Text)?> SendAsync(HttpClient http, HttpRequestMessage request, bool untilAnswered) =>
        (await TrySendAsync(http, request, untilAnswered)).Answer;

    private async Task<((int Status, string Text)? Answer, string? Failure)> TrySendAsync(HttpClient http, HttpRequestMessage request, bool untilAnswered)
    {
        string failed;
        using var limit = new CancellationTokenSource(untilAnswered ? Timeout.InfiniteTimeSpan : Patience);
        try
        {
            using var answer = await http.SendAsync(request, limit.Token);
            if (answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout))
            {
                Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.Unauthorized });
                var text = await answer.Content.ReadAsStringAsync(limit.Token);
                Interlocked.Increment(ref _answered);
                return (((int)answer.StatusCode, text), null);
            }

            failed = $"{(int)answer.StatusCode}";
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // Ended, stopped, cut off, or being replaced.
            failed = failure.Message;
        }

        Interlocked.Increment(ref _unavailable);
        return (null, failed);
    }

    private sealed class Client(string handle, string user, string accessToken, string refreshToken)
    {
        private int _taken;

        public string Handle => handle;

        public string User => user;

        public string AccessToken { get; private set; } = accessToken;

        public string RefreshToken { get; private set; } = refreshToken;

        public bool IsBeingRevoked { get; set; }

        public bool IsRevoked { get; set; }

        public bool TryTake() => Interlocked.CompareExchange(ref _taken, 1, 0) == 0;

        public void GiveBack() => Volatile.Write(ref _taken, 0);

        /// <summary>When a refresh began of which nobody knows what became.</summary>
        public TimeSpan? DoubtfulSince { get; set; }


        /// <summary>Not before the end once a refresh was in doubt: what was given up may still arrive, and its token would have been replaced twice by then.</summary>
        public bool MayBeRefreshed { get; set; } = true;

        public bool IsTooLate(TimeSpan since) => DoubtfulSince < since;

        public void Refreshed(string access, string refresh) => (AccessToken, RefreshToken, DoubtfulSince) = (access, refresh, null);
    }
}

/// <summary>What stood behind a revocation.</summary>
internal sealed record RevokeReceipt(int Confirmed, int WaitedOut);
