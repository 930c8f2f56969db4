using System.Diagnostics.Metrics;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.GrainDoors;
using Grid.Revocation.Registry;
using Grid.WebFront.Admission;
using Grid.WebFront.Core;
using Grid.WebFront.Doors;
using Grid.WebFront.Sessions;
using Microsoft.Extensions.Logging;

namespace Grid.WebFront.GrainDoors;

/// <summary>What every call of a door passes: the same API keys as the core API's, and every failure made a value.</summary>
internal sealed class DoorGate(
    IAppDirectory apps, CoreGate core, CoreFailures failures, AdmissionControl admission, ClockTrust clocks, IMeterFactory meters, TimeProvider clock, ILogger<DoorGate> logger) : IDisposable
{
    // As at the core API, but counted together: a call that came in by the gateway has no address.
    private const int MaxWrongKeys = 20;

    // Characters of a name that is given back.
    private const int MaxNamed = 80;

    private readonly GuessBrake _brake = new("API key by the gateway", MaxWrongKeys, meters, clock, logger);

    /// <summary>Does the work for whoever may ask for it.</summary>
    /// <param name="kind">What the call does, in an overload.</param>
    /// <param name="work">Null: no such session.</param>
    public async Task<DoorAnswer<T>> AnswerAsync<T>(RequestClass kind, Func<DoorCall, Task<T?>> work)
    {
        var caller = RequestContext.Get(DoorCaller.Key) as DoorCaller;

        // The context goes along with every call that is made from here, and the key is nobody else's business.
        RequestContext.Clear();
        try
        {
            // What a wrong clock says has expired has not: an outage, which signs nobody out.
            if (!clocks.IsTrusted)
            {
                return Failed<T>(DoorOutcome.Unavailable, "The silo's clock is not trusted at the moment.");
            }

            var (call, refusal) = await AdmitAsync(caller);
            if (call is null)
            {
                return new DoorAnswer<T> { Outcome = refusal!.Outcome, Message = refusal.Message };
            }

            using var place = admission.Enter(kind, Asker.Of(call.App.App));
            return place.IsTaken
                ? new DoorAnswer<T> { Outcome = DoorOutcome.Done, Value = await work(call) }
                : Overloaded<T>();
        }
        catch (OverloadedException)
        {
            return Overloaded<T>();
        }
        catch (SessionRefusedException refusal)
        {
            return Failed<T>(refusal.TokenLength is null ? DoorOutcome.Refused : DoorOutcome.TokenTooLong, refusal.Message);
        }
        catch (UnstorableValueException refusal)
        {
            return Failed<T>(DoorOutcome.Refused, refusal.Message);
        }
        catch (Exception failure) when (failure is StoreUnavailableException or OrleansException or TimeoutException or OperationCanceledException)
        {
            failures.Met(failure);
            return Failed<T>(DoorOutcome.Unavailable, "Store or cluster is away.");
        }
        catch (Exception failure)
        {
            failures.MetUnexpected($"{failure.GetType().Name} in a call by an Orleans client", failure);
            return Failed<T>(DoorOutcome.Unavailable, "Internal error; the silo's log has it.");
        }
    }

    /// <summary>The way in for work that leaves its place meanwhile; it is answered as <see cref="RequestClass.None"/>.</summary>
    /// <exception cref="OverloadedException">There is no place left.</exception>
    public AdmissionDoor Enter(RequestClass kind, DoorCall call)
    {
        var door = new AdmissionDoor(admission, kind, Asker.Of(call.App.App));
        door.Enter();
        return door;
    }

    /// <summary>A tenant that the app has.</summary>
    /// <exception cref="SessionRefusedException">It has not, or nobody can say whether this caller may speak of it.</exception>
    public async ValueTask<string> TenantAsync(AppSnapshot app, string? tenantId)
    {
        if (tenantId is null || !app.TenantIds.Contains(tenantId))
        {
            throw DoorInput.NoTenant(app, tenantId);
        }

        var rules = tenantId == TenantKey.PublicId ? null : await apps.FindRulesAsync(new TenantKey(app.App, tenantId), CancellationToken.None);
        return rules?.IpAllowRegex is null && rules?.IpDenyRegex is null ? tenantId : throw new SessionRefusedException(HasRules($"tenant '{tenantId}' of the app '{app.App}'"));
    }

    public void Dispose() => _brake.Dispose();

    private async ValueTask<(DoorCall? Call, DoorAnswer<bool>? Refusal)> AdmitAsync(DoorCaller? caller)
    {
        if (caller is null)
        {
            return (null, Failed<bool>(DoorOutcome.Refused, "The call does not say who makes it: use GridSessions.GrainClient."));
        }

        if (caller.ApiKey is { Length: > CoreBody.MaxText })
        {
            return (null, Failed<bool>(DoorOutcome.WrongKey, $"The API key is longer than {CoreBody.MaxText} characters"));
        }

        var key = TryParse(caller.App);
        var app = key is { } named ? await apps.FindAsync(named, CancellationToken.None) : null;

        // A name that stands for no app is guarded as a new app would be: who holds no right key cannot tell it from an app's.
        var keys = app?.ApiKeyHashes ?? (await core.InheritAsync(key?.Domain ?? "", CancellationToken.None)).ApiKeyHashes;
        if (!keys.IsEmpty && !CoreGate.HoldsKey(caller.ApiKey, keys))
        {
            return (null, Failed<bool>(DoorOutcome.WrongKey, _brake.Failed(address: null) is { } wait
                ? $"Invalid API key, and too many of them by the gateway: please wait {GuessBrake.Seconds(wait)} s"
                : "Invalid API key"));
        }

        return app is null ? (null, Failed<bool>(DoorOutcome.Refused, $"There is no app '{Printable.Of(caller.App ?? "", MaxNamed)}': create it through the core API, or name another."))

            // Whoever wrote a rule meant to keep somebody out, and who that is cannot be seen here.
            : app.IpAllowRegex is not null || app.IpDenyRegex is not null
                ? (null, Failed<bool>(DoorOutcome.Refused, HasRules($"app '{app.App}'")))
            : (new DoorCall(app, caller.ApiKey is { Length: > 0 } presented ? CoreActor.IdOf(presented) : CoreActor.NoKey, now => IsAdmitted(caller.ApiKey, app, now)), null);
    }

    // As the core API judges a connection that goes on: whoever had no key to show is out as soon as there is one.
    private static bool IsAdmitted(string? key, AppSnapshot before, AppSnapshot now) =>
        before.ApiKeyHashes.IsEmpty == now.ApiKeyHashes.IsEmpty && (now.ApiKeyHashes.IsEmpty || CoreGate.HoldsKey(key, now.ApiKeyHashes))
        && now.IpAllowRegex is null && now.IpDenyRegex is null;

    /// <summary>The app that is meant; null if there cannot be one of that name.</summary>
    private static AppKey? TryParse(string? text)
    {
        if (text is not { Length: > 0 and <= CorePath.MaxId + 1 + ConnectionUriDomain.MaxLength })
        {
            return null;
        }

        var key = AppKey.Parse(text);
        return CorePath.CouldExist(key.AppId) ? key : null;
    }

    private static string HasRules(string whose) =>
        $"The {whose} has address rules (ip_allow_regex, ip_deny_regex), and a call by the gateway has no address to judge: use the core API, or take the rules away";

    private static DoorAnswer<T> Overloaded<T>() =>
        Failed<T>(DoorOutcome.Unavailable, "The silo has too many requests at once, and has not begun this one.") with { RetryAfter = TimeSpan.FromSeconds(AdmissionDoor.RetryAfterSeconds()) };

    private static DoorAnswer<T> Failed<T>(DoorOutcome outcome, string message) => new() { Outcome = outcome, Message = message };
}

/// <summary>A call that was let in.</summary>
/// <param name="App">Whose sessions are meant.</param>
/// <param name="Actor">Who asked, for the log.</param>
/// <param name="IsAdmittedTo">Whether the same caller would be let in by the app as it is later.</param>
internal sealed record DoorCall(AppSnapshot App, string Actor, Predicate<AppSnapshot> IsAdmittedTo);
