using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.SigningKeys;
using Grid.Grains.Apps;

namespace Grid.Grains.Tests.Apps;

/// <summary>Removal of a tenant or an app, with the store failing at each of its steps.</summary>
public sealed class RemovalTests(GridCluster grid)
{
    private static readonly TenantChange NoChange = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ITenancy Tenancy => grid.Service<ITenancy>(1);

    /// <summary>Steps of a tenant's removal that write: where the store fails, and how.</summary>
    public static TheoryData<string, bool> TenantSteps => new()
    {
        { "mark", false }, { "mark", true }, { "revoke", false }, { "revoke", true },
        { "forget settings", false }, { "forget settings", true }, { "forget", false }, { "forget", true },
    };

    /// <summary>The same of an app.</summary>
    public static TheoryData<string, bool> AppSteps => new()
    {
        { "mark", false }, { "mark", true }, { "revoke", false }, { "revoke", true }, { "unlist", false }, { "unlist", true },
        { "forget keys", false }, { "forget keys", true }, { "forget settings", false }, { "forget settings", true }, { "forget", false }, { "forget", true },
    };

    [Theory, MemberData(nameof(TenantSteps))]
    public async Task A_tenants_removal_that_failed_is_completed_and_confirmed_by_a_repetition(string step, bool written)
    {
        var (tenant, session) = await CreateTenantAsync();
        Fail(step, written, tenant.App, tenant);

        var failed = await RemoveAsync(() => Tenancy.RemoveTenantAsync(tenant, Stop));
        var isKnown = await KnowsAsync(tenant);
        var again = await Tenancy.RemoveTenantAsync(tenant, Stop);

        Assert.Equal(RemoveOutcome.Unavailable, failed);
        Assert.Equal(step == "mark" && !written, isKnown);
        if (step == "forget" && written)
        {
            // All was confirmed before it was forgotten, so that there is nothing left to do.
            Assert.Equal(RemoveOutcome.NotFound, again.Outcome);
        }
        else
        {
            Assert.Equal((RemoveOutcome.Removed, 3, 0), (again.Outcome, again.Receipt.Confirmed, again.Receipt.Waited));
        }

        await AssertGoneAsync(tenant, session);
    }

    [Theory, MemberData(nameof(AppSteps))]
    public async Task An_apps_removal_that_failed_is_completed_and_confirmed_by_a_repetition(string step, bool written)
    {
        var app = await grid.CreateAppAsync();
        var session = await grid.CreateSessionAsync(app);
        var kids = await KidsAsync(app);
        Fail(step, written, app, new TenantKey(app, TenantKey.PublicId));

        var failed = await RemoveAsync(() => Tenancy.RemoveAppAsync(app, Stop));
        var again = await Tenancy.RemoveAppAsync(app, Stop);

        Assert.Equal(RemoveOutcome.Unavailable, failed);
        if (step == "forget" && written)
        {
            Assert.Equal(RemoveOutcome.NotFound, again.Outcome);
        }
        else
        {
            Assert.Equal((RemoveOutcome.Removed, 3, 0), (again.Outcome, again.Receipt.Confirmed, again.Receipt.Waited));
        }

        Assert.Null(await grid.Store.ReadAsync(session.Key, Stop));
        Assert.Null(await grid.Grains.GetGrain<IAppGrain>(app.ToString()).FindAsync(Stop));
        var listed = await grid.Grains.GetGrain<ICatalogGrain>(0).ListAsync(Stop);
        Assert.DoesNotContain(app.AppId, listed.Single(d => d.Domain.Length == 0).AppIds);
        Assert.Equal(RemoveOutcome.NotFound, (await Tenancy.RemoveAppAsync(app, Stop)).Outcome);
        Assert.Equal(PutOutcome.Created, (await Tenancy.PutAppAsync(app, NoChange, Stop)).Outcome);
        Assert.Empty((await KidsAsync(app)).Intersect(kids));
    }

    [Fact]
    public async Task A_tenant_that_is_made_again_after_a_failed_removal_has_nothing_of_the_former_one()
    {
        var (tenant, session) = await CreateTenantAsync();
        grid.Store.LoseNextWrite();
        Assert.Equal(RemoveOutcome.Unavailable, await RemoveAsync(() => Tenancy.RemoveTenantAsync(tenant, Stop)));
        Assert.NotNull(await grid.Store.ReadAsync(session.Key, Stop));

        var made = await Tenancy.PutTenantAsync(tenant, NoChange, Stop);

        Assert.Equal(PutOutcome.Created, made.Outcome);
        Assert.Null(await grid.Store.ReadAsync(session.Key, Stop));
        Assert.True(await KnowsAsync(tenant));
        Assert.Equal(RemoveOutcome.NotFound, await grid.Service<Tenancy>().FinishAsync(tenant.ToString()));
        Assert.True(await KnowsAsync(tenant));
    }

    [Fact]
    public async Task An_app_that_is_made_again_after_a_failed_removal_has_nothing_of_the_former_one()
    {
        var app = await grid.CreateAppAsync();
        var session = await grid.CreateSessionAsync(app);
        grid.Store.LoseNextWrite();
        Assert.Equal(RemoveOutcome.Unavailable, await RemoveAsync(() => Tenancy.RemoveAppAsync(app, Stop)));

        Assert.Equal(PutOutcome.Created, (await Tenancy.PutAppAsync(app, NoChange, Stop)).Outcome);

        Assert.Null(await grid.Store.ReadAsync(session.Key, Stop));
        Assert.NotNull(await grid.Grains.GetGrain<IAppGrain>(app.ToString()).FindAsync(Stop));
    }

    [Fact]
    public async Task An_app_takes_a_tenant_along_whose_removal_was_left_unfinished()
    {
        var (tenant, session) = await CreateTenantAsync();
        grid.Store.LoseNextWrite();
        await RemoveAsync(() => Tenancy.RemoveTenantAsync(tenant, Stop));

        Assert.Equal(RemoveOutcome.Removed, (await Tenancy.RemoveAppAsync(tenant.App, Stop)).Outcome);

        Assert.Null(await grid.Store.ReadAsync(session.Key, Stop));
        await Tenancy.PutAppAsync(tenant.App, NoChange, Stop);
        Assert.Equal(RemoveOutcome.NotFound, (await Tenancy.RemoveTenantAsync(tenant, Stop)).Outcome);
        Assert.False(await KnowsAsync(tenant));
    }

    [Fact]
    public async Task A_removal_that_nobody_repeats_is_finished_by_a_reminder()
    {
        var (tenant, session) = await CreateTenantAsync();
        var app = await grid.CreateAppAsync();
        grid.Store.LoseNextWrite();
        await RemoveAsync(() => Tenancy.RemoveTenantAsync(tenant, Stop));
        grid.StateFaults.Add("catalog", "0", 0, StateFault.Lost);
        await RemoveAsync(() => Tenancy.RemoveAppAsync(app, Stop));

        await RemindAsync(tenant.ToString());
        await RemindAsync(app.ToString());

        await AssertGoneAsync(tenant, session);
        Assert.Equal(RemoveOutcome.NotFound, (await Tenancy.RemoveTenantAsync(tenant, Stop)).Outcome);
        Assert.Equal(RemoveOutcome.NotFound, (await Tenancy.RemoveAppAsync(app, Stop)).Outcome);
    }

    [Fact]
    public async Task A_late_reminder_leaves_a_namesake_alone()
    {
        var (tenant, _) = await CreateTenantAsync();
        var app = tenant.App;

        await RemindAsync(tenant.ToString());
        await RemindAsync(app.ToString());

        Assert.True(await KnowsAsync(tenant));
    }

    [Fact]
    public async Task A_slow_removal_does_not_end_a_namesake_that_was_made_meanwhile()
    {
        var (tenant, _) = await CreateTenantAsync();
        var grain = grid.Grains.GetGrain<IAppGrain>(tenant.App.ToString());
        var slow = await grain.BeginTenantRemovalAsync(tenant.TenantId, false, Stop);
        await Tenancy.PutTenantAsync(tenant, NoChange, Stop);
        var session = await grid.CreateSessionAsync(tenant.App, tenant.TenantId);

        Assert.Equal(RemoveOutcome.Removed, await grain.EndTenantRemovalAsync(tenant.TenantId, slow.Removal, Stop));

        Assert.True(await KnowsAsync(tenant));
        Assert.NotNull(await grid.Store.ReadAsync(session.Key, Stop));
    }

    [Fact]
    public async Task A_removal_writes_one_entry()
    {
        var (tenant, _) = await CreateTenantAsync();
        var before = await LastPositionAsync(tenant.App);

        var removal = await Tenancy.RemoveTenantAsync(tenant, Stop);

        Assert.Equal(before + 1, removal.Receipt.Position);
        Assert.Equal(removal.Receipt.Position + 1, await LastPositionAsync(tenant.App));
    }

    [Fact]
    public async Task A_domains_removal_that_failed_is_completed_by_a_repetition_or_a_reminder()
    {
        foreach (var byReminder in (bool[])[false, true])
        {
            var domain = $"d{Guid.NewGuid():N}.example";
            var app = new AppKey(domain, AppKey.PublicId);
            Assert.Equal(PutOutcome.Created, (await Tenancy.PutDomainAsync(domain, NoChange, Stop)).Outcome);
            var session = await grid.CreateSessionAsync(app);
            grid.Store.LoseNextWrite();
            Assert.Equal(RemoveOutcome.Unavailable, await RemoveAsync(() => Tenancy.RemoveDomainAsync(domain, Stop)));
            Assert.Equal(PutOutcome.ParentNotFound, (await Tenancy.PutAppAsync(new AppKey(domain, "a1"), NoChange, Stop)).Outcome);

            if (byReminder)
            {
                await RemindAsync(app.ToString());
            }
            else
            {
                Assert.Equal(RemoveOutcome.Removed, (await Tenancy.RemoveDomainAsync(domain, Stop)).Outcome);
            }

            Assert.Null(await grid.Store.ReadAsync(session.Key, Stop));
            Assert.Equal(RemoveOutcome.NotFound, (await Tenancy.RemoveDomainAsync(domain, Stop)).Outcome);
            Assert.Equal("", (await grid.Service<IAppDirectory>().FindAsync(domain, AppKey.PublicId, Stop)).Domain);
            Assert.Equal(PutOutcome.Created, (await Tenancy.PutDomainAsync(domain, NoChange, Stop)).Outcome);
        }
    }

    private void Fail(string step, bool written, AppKey app, TenantKey tenant)
    {
        var fault = written ? StateFault.AnswerLost : StateFault.Lost;
        switch (step)
        {
            case "mark":
                grid.StateFaults.Add("app", app.ToString(), 0, fault);
                break;
            case "revoke" when written:
                grid.Store.LoseNextAnswer();
                break;
            case "revoke":
                grid.Store.LoseNextWrite();
                break;
            case "unlist":
                grid.StateFaults.Add("catalog", "0", 0, fault);
                break;
            case "forget keys":
                grid.StateFaults.Add("keys", app.ToString(), 0, fault);
                break;
            case "forget settings":
                grid.StateFaults.Add("tenant", tenant.ToString(), 0, fault);
                break;
            default:
                grid.StateFaults.Add("app", app.ToString(), 1, fault);
                break;
        }
    }

    private static async Task<RemoveOutcome> RemoveAsync(Func<Task<Removal>> remove)
    {
        try
        {
            return (await remove()).Outcome;
        }
        catch (StoreUnavailableException)
        {
            return RemoveOutcome.Unavailable;
        }
    }

    private Task RemindAsync(string key) =>
        grid.Grains.GetGrain<IRemovalGrain>(key).AsReference<IRemindable>().ReceiveReminder("finish", default);

    private async Task<(TenantKey Tenant, TestSession Session)> CreateTenantAsync()
    {
        var tenant = new TenantKey(await grid.CreateAppAsync(), "t1");
        Assert.Equal(PutOutcome.Created, (await Tenancy.PutTenantAsync(tenant, NoChange, Stop)).Outcome);
        return (tenant, await grid.CreateSessionAsync(tenant.App, tenant.TenantId));
    }

    private async Task<bool> KnowsAsync(TenantKey tenant)
    {
        List<bool> answers = [];
        for (var silo = 0; silo < 3; silo++)
        {
            answers.Add((await grid.Service<IAppDirectory>(silo).FindAsync(tenant.App, Stop))!.TenantIds.Contains(tenant.TenantId));
        }

        return Assert.Single(answers.Distinct());
    }

    private async Task AssertGoneAsync(TenantKey tenant, TestSession session)
    {
        Assert.False(await KnowsAsync(tenant));
        Assert.Null(await grid.Store.ReadAsync(session.Key, Stop));
        Assert.DoesNotContain(await grid.Grains.GetGrain<IAppGrain>(tenant.App.ToString()).ListTenantsAsync(Stop), t => t.TenantId == tenant.TenantId);
    }

    private async Task<long> LastPositionAsync(AppKey app) => (await grid.Store.RevokeAsync(
        new Abstractions.Sessions.RevocationScope.Tenant { App = app, TenantId = "none" }, Abstractions.Sessions.RevocationReason.Requested, grid.Clock.GetUtcNow(), Stop)).Entries[0].Position;

    private async Task<string[]> KidsAsync(AppKey app) =>
        [.. (await grid.Grains.GetGrain<ISigningKeysGrain>(app.ToString()).GetAsync(TimeSpan.FromDays(7), TimeSpan.FromHours(1), Stop))!.Keys.Select(k => k.Kid)];
}
