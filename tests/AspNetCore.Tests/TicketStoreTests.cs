using System.Reflection;
using System.Security.Claims;
using Grid.AspNetCore.TicketStore;
using Grid.Client;
using Grid.TestKit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.Tests;

/// <summary>What the ticket store remembers, with sessions whose answers the test chooses.</summary>
public sealed class TicketStoreTests
{
    private readonly EphemeralDataProtectionProvider _keys = new();
    private readonly SkippingTime _clock = new();
    private readonly IGridSessions _sessions = DispatchProxy.Create<IGridSessions, OneSession>();

    private OneSession Session => (OneSession)_sessions;

    [Fact]
    public async Task A_request_that_was_overtaken_by_the_read_that_it_needs_reads_no_more()
    {
        var handle = await NewStore().StoreAsync(Ticket());
        var other = NewStore();
        var isActive = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Session.IsActive = () => isActive.Task;
        var slow = other.RetrieveAsync(handle);
        Session.IsActive = () => Task.FromResult(true);
        Assert.NotNull(await other.RetrieveAsync(handle));

        isActive.SetResult(true);

        Assert.NotNull(await slow);
        Assert.Equal(1, Session.Reads);
    }

    [Fact]
    public async Task A_session_that_a_silo_does_not_know_yet_is_asked_for_again_after_a_second()
    {
        var handle = await NewStore().StoreAsync(Ticket());
        var other = NewStore();
        Session.IsActive = () => Task.FromResult(false);
        Assert.Null(await other.RetrieveAsync(handle));

        Session.IsActive = () => Task.FromResult(true);
        _clock.Skip(TimeSpan.FromSeconds(1));

        Assert.NotNull(await other.RetrieveAsync(handle));
    }

    [Fact]
    public async Task A_known_session_that_has_ended_is_not_asked_for_again()
    {
        var store = NewStore();
        var handle = await store.StoreAsync(Ticket());
        Session.IsActive = () => Task.FromResult(false);
        Assert.Null(await store.RetrieveAsync(handle));

        Session.IsActive = () => throw new InvalidOperationException("asked (test)");
        _clock.Skip(TimeSpan.FromSeconds(30));

        Assert.Null(await store.RetrieveAsync(handle));
    }

    // Each with a memory of its own, as in another process.
    private GridTicketStore NewStore()
    {
        var options = new GridTicketStoreOptions { ReadAgainAfter = TimeSpan.FromHours(1) };
        var services = new ServiceCollection();
        services.AddOptions<GridTicketStoreOptions>("Cookies").Configure(named => named.ReadAgainAfter = options.ReadAgainAfter);
        return new GridTicketStore(
            "Cookies", new CookieAuthenticationOptions { TimeProvider = _clock }, new TicketCache(options),
            services.BuildServiceProvider().GetRequiredService<IOptionsMonitor<GridTicketStoreOptions>>(), _sessions, _keys, _clock,
            NullLogger<GridTicketStore>.Instance);
    }

    private static AuthenticationTicket Ticket() => new(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "alice")], "Cookies")), "Cookies");

    /// <summary>Sessions with one in them.</summary>
    public class OneSession : DispatchProxy
    {
        private SessionInformation? _stored;

        public Func<Task<bool>> IsActive { get; set; } = () => Task.FromResult(true);

        public int Reads { get; private set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            switch (targetMethod!.Name)
            {
                case nameof(IGridSessions.CreateAsync):
                    var draft = (SessionDraft)args![0]!;
                    _stored = new SessionInformation
                    {
                        Handle = "one",
                        UserId = draft.UserId,
                        TenantId = draft.TenantId,
                        PayloadJson = draft.PayloadJson,
                        DataJson = draft.DataJson,
                        CreatedAt = DateTimeOffset.UnixEpoch,
                        ExpiresAt = DateTimeOffset.MaxValue,
                    };
                    return Task.FromResult(new CreatedSession("one", draft.UserId, draft.TenantId, draft.PayloadJson, null!));
                case nameof(IGridSessions.IsActiveAsync):
                    return new ValueTask<bool>(IsActive());
                case nameof(IGridSessions.FindAsync):
                    Reads++;
                    return new ValueTask<SessionInformation?>(_stored);
                default:
                    throw new NotSupportedException(targetMethod.Name);
            }
        }
    }
}
