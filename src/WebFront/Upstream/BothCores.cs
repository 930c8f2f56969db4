using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.WebFront.Core;
using Grid.WebFront.Core.Multitenancy;
using Grid.WebFront.Core.Sessions;
using Grid.WebFront.Sessions;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Upstream;

/// <summary>Operations that both cores must know of. What the client is answered is the other core's answer.</summary>
/// <remarks>
/// What is made is made behind first: if Grid crashes before it has it too, it learns of it at the next request that names it. What ends is
/// ended here first, and confirmed, then behind, then here once more for what was begun in between. Either way repeating the call
/// finishes it (docs/decisions/0031).
/// Longer than most files: in which order each operation tells the two is read in one place.
/// </remarks>
internal sealed class BothCores(
    UpstreamClient client, UpstreamFailures failures, LinkedAccounts linked, AccountSessions accounts, TenantDoor tenants, Revocations revocations, StoredSessions stored)
{
    // Of Grid's door: the other core would ask Grid itself for them.
    private static readonly string[] OfTheDoor = [Abstractions.Settings.SettingTable.ApiKeys, "ip_allow_regex", "ip_deny_regex"];

    public async Task PutAsync(HttpContext context, NamedBy named)
    {
        var (body, order) = await ReadAsync(context, named);
        var answer = await AskAsync(context, WithoutDoor(body));
        if (answer.Word() == "OK")
        {
            var put = await order.PutAsync(tenants.Tenancy);
            if (put.Outcome == PutOutcome.InvalidConfig)
            {
                throw new CoreException(400, $"Invalid core config: {put.Error}. The core behind Grid has accepted it, Grid has not: repeat the call with another value");
            }

            if (put.Outcome is not (PutOutcome.Created or PutOutcome.Updated))
            {
                throw new StoreUnavailableException("The settings could not be written.");
            }
        }

        await WriteAsync(context, answer);
    }

    public async Task RemoveAsync(HttpContext context, NamedBy named)
    {
        var (body, order) = await ReadAsync(context, named);
        if (order.IsPublic)
        {
            // It refuses this in its own words.
            await WriteAsync(context, await AskAsync(context, body));
            return;
        }

        // What holds others is refused behind: nobody may be signed out by a call that removes nothing.
        if (named != NamedBy.Tenant && await HoldsOthersAsync(context, order))
        {
            var refusal = await AskAsync(context, body);
            if (refusal.Word() != "OK")
            {
                await WriteAsync(context, refusal);
                return;
            }
        }

        await EndAsync(context, order);
        var answer = await AskAsync(context, body);
        if (answer.Word() == "OK")
        {
            await EndAsync(context, order);
        }

        await WriteAsync(context, answer);
    }

    public async Task RemoveUserAsync(HttpContext context)
    {
        var bytes = await ReadBytesAsync(context);
        using var body = await CoreBody.ReadAsync(context);
        var userId = SessionWire.UserId(body);
        var isForAll = body.BoolOrNull("removeAllLinkedAccounts") ?? true;

        // Before anything can fail.
        await EndNamedAsync();
        var others = isForAll ? await linked.OthersAsync(CoreRequest.Of(context).App.App, userId) : [];
        foreach (var id in others)
        {
            await EndAsync(context, id);
        }

        var answer = await AskAsync(context, bytes);
        if (answer.Word() == "OK")
        {
            foreach (var id in others)
            {
                await EndAsync(context, id);
            }

            await EndNamedAsync();
        }

        await WriteAsync(context, answer);

        // A user from whom only one account is taken keeps the sessions by the others.
        Task EndNamedAsync() => isForAll
            ? accounts.RevokeAllAsync(User(context, userId), allTenants: true, CoreActor.Of(context))
            : accounts.RevokeAsync(User(context, userId), allTenants: true, CoreActor.Of(context));
    }

    /// <summary>Links an account to a user: the sessions of the user that it was end. Those that began since are the other user's, and stay if this is repeated.</summary>
    public async Task LinkAsync(HttpContext context)
    {
        var bytes = await ReadBytesAsync(context);
        using var body = await CoreBody.ReadAsync(context);
        var recipeUserId = body.String("recipeUserId");

        // What is read through is taken in as long as it is that account's alone: once it is linked, its sessions come as the other user's, and would not end.
        await stored.ListAsync(User(context, recipeUserId), allTenants: true);

        // What it refuses signs nobody out.
        if (body.StringOrNull("primaryUserId") is { } primaryUserId && await linked.WouldLinkAsync(CoreRequest.Of(context).App.App, recipeUserId, primaryUserId))
        {
            await EndAsync(context, recipeUserId);
        }

        var answer = await AskAsync(context, bytes);
        var json = answer.Json();
        if (UpstreamAnswer.Word(json) == "OK" && (UpstreamAnswer.Text((json!["user"] as JsonObject)?["id"]) ?? body.StringOrNull("primaryUserId")) != recipeUserId)
        {
            await EndAsync(context, recipeUserId);
        }

        await WriteAsync(context, answer);
    }

    /// <summary>Takes an account from its user: the sessions by it end, those by the user's other accounts go on.</summary>
    public async Task UnlinkAsync(HttpContext context)
    {
        var bytes = await ReadBytesAsync(context);
        using var body = await CoreBody.ReadAsync(context);
        var account = User(context, body.String("recipeUserId"));
        await EndAsync(await linked.IsLinkedAsync(account.Tenant.App, account.UserId));
        var answer = await AskAsync(context, bytes);
        var json = answer.Json();
        if (UpstreamAnswer.Word(json) == "OK")
        {
            await EndAsync(wasLinked: !(json!["wasLinked"] is JsonValue said && said.TryGetValue(out bool wasLinked) && !wasLinked));
        }

        await WriteAsync(context, answer);

        // Of an account that is alone, or that is not known, only what a former call did not get as far as ending: the sessions that are another user's.
        Task EndAsync(bool wasLinked) => wasLinked
            ? accounts.RevokeAsync(account, allTenants: true, CoreActor.Of(context))
            : accounts.RevokeElsewhereAsync(account, allTenants: true, CoreActor.Of(context));
    }

    /// <summary>Takes an account out of a tenant: the sessions there by it end.</summary>
    public async Task LeaveTenantAsync(HttpContext context)
    {
        var bytes = await ReadBytesAsync(context);
        using var body = await CoreBody.ReadAsync(context);
        var account = User(context, body.String("recipeUserId"));
        await accounts.RevokeAsync(account, allTenants: false, CoreActor.Of(context));
        var answer = await AskAsync(context, bytes);
        if (answer.Word() == "OK")
        {
            await accounts.RevokeAsync(account, allTenants: false, CoreActor.Of(context));
        }

        await WriteAsync(context, answer);
    }

    /// <summary>Gives a user another id, or takes it away: as long as sessions hold the present one, only by force.</summary>
    /// <param name="context">The request.</param>
    /// <param name="idField">What the body calls the user.</param>
    /// <param name="isMapped">Whether the user has two ids already: sessions may hold either.</param>
    public async Task MapAsync(HttpContext context, string idField, bool isMapped)
    {
        var bytes = await ReadBytesAsync(context);
        using var body = await CoreBody.ReadAsync(context);
        if (body.StringOrNull(idField) is { } userId && body.BoolOrNull("force") != true)
        {
            await RequireUnusedAsync(context, userId);
            foreach (var other in isMapped ? await linked.MappedAsync(CoreRequest.Of(context).App.App, userId, body.StringOrNull("userIdType")) : [])
            {
                await RequireUnusedAsync(context, other);
            }
        }

        await WriteAsync(context, await AskAsync(context, bytes));
    }

    private async Task RequireUnusedAsync(HttpContext context, string userId)
    {
        var user = User(context, userId);
        if (!(await stored.ListAsync(user, allTenants: true)).IsEmpty || !(await accounts.ListAsync(user, allTenants: true)).IsEmpty)
        {
            throw new CoreException(400, "UserId is already in use in Session recipe");
        }
    }

    private async Task<UpstreamAnswer> AskAsync(HttpContext context, byte[] body)
    {
        var request = CoreRequest.Of(context);
        string? version = context.Request.Headers["cdi-version"];
        var answer = await client.AskAsync(
            context.Request.Method, UpstreamForwarder.Target(context), version, request.Domain.Length > 0 ? context.Request.Host.Value : null, body, patience: null, CancellationToken.None);
        return answer.Trouble == UpstreamTrouble.None ? answer : throw failures.Refuse(context, answer.Trouble);
    }

    private static async Task WriteAsync(HttpContext context, UpstreamAnswer answer)
    {
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        context.Response.ContentLength = answer.Body!.Length;
        await context.Response.BodyWriter.WriteAsync(answer.Body);
    }

    private async Task<(byte[] Body, Order Order)> ReadAsync(HttpContext context, NamedBy named)
    {
        var bytes = await ReadBytesAsync(context);
        var request = CoreRequest.Of(context);
        using var body = await CoreBody.ReadAsync(context);
        var settings = body.ObjectOrNull("coreConfig") is { } config ? UpstreamTenants.SettingsForGrid(JsonNode.Parse(config) as JsonObject) : null;
        var change = new TenantChange { CoreConfigPatchJson = settings };
        switch (named)
        {
            case NamedBy.Domain:
                var domain = await PutDomain.ReadDomainAsync(body, tenants);
                PutDomain.RequireBase(request, "manage connectionUriDomains");
                return (bytes, new Order(named, new TenantKey(new AppKey(domain, AppKey.PublicId), TenantKey.PublicId), change));
            case NamedBy.App:
                var appId = TenantWire.ReadId(body, "appId");
                TenantWire.RequirePublicAppAndTenant(request, "manage apps");
                return (bytes, new Order(named, new TenantKey(new AppKey(request.Domain, appId), TenantKey.PublicId), change));
            default:
                var tenantId = TenantWire.ReadId(body, "tenantId");
                TenantWire.RequirePublicTenant(request, "manage tenants");
                return (bytes, new Order(named, new TenantKey(request.App.App, tenantId), change));
        }
    }

    // Read once, and then by both.
    private static async Task<byte[]> ReadBytesAsync(HttpContext context)
    {
        using var copy = new MemoryStream();
        await context.Request.Body.CopyToAsync(copy, context.RequestAborted);
        var bytes = copy.ToArray();
        context.Request.Body = new MemoryStream(bytes);
        return bytes;
    }

    private static byte[] WithoutDoor(byte[] body)
    {
        // Read before, and found to be an object.
        var json = JsonNode.Parse(body)!.AsObject();
        var removed = 0;
        if (json["coreConfig"] is JsonObject config)
        {
            foreach (var name in OfTheDoor)
            {
                removed += config.Remove(name) ? 1 : 0;
            }
        }

        return removed == 0 ? body : JsonSerializer.SerializeToUtf8Bytes(json);
    }

    private async Task<bool> HoldsOthersAsync(HttpContext context, Order order)
    {
        var app = order.Tenant.App.AppId == AppKey.PublicId ? "" : $"/appid-{order.Tenant.App.AppId}";
        return await ListsMoreAsync(context, order, app + "/recipe/multitenancy/tenant/list", "tenants")
            || (order.Named == NamedBy.Domain && await ListsMoreAsync(context, order, "/recipe/multitenancy/app/list", "apps"));
    }

    private async Task<bool> ListsMoreAsync(HttpContext context, Order order, string target, string member)
    {
        var domain = order.Tenant.App.Domain;
        var answer = (await client.AskAsync(
            "GET", target, context.Request.Headers["cdi-version"], domain.Length > 0 ? domain : null, body: null, patience: null, CancellationToken.None)).OrFailing();
        return answer.Trouble == UpstreamTrouble.None
            ? answer.Json()?[member] is JsonArray { Count: > 1 }
            : throw failures.Refuse(context, answer.Trouble);
    }

    private async Task EndAsync(HttpContext context, Order order)
    {
        if (order.Named != NamedBy.Tenant)
        {
            // The other core has none of them any more: a call that removed one did not get as far as here.
            foreach (var tenant in await tenants.App(order.Tenant.App).ListTenantsAsync(CancellationToken.None))
            {
                if (tenant.TenantId != TenantKey.PublicId)
                {
                    await EndAsync(context, new Order(NamedBy.Tenant, new TenantKey(order.Tenant.App, tenant.TenantId), order.Change));
                }
            }
        }

        var removal = await order.RemoveAsync(tenants.Tenancy);
        var isTenant = order.Named == NamedBy.Tenant;
        tenants.WriteLog(
            context,
            removal,
            isTenant ? new RevocationScope.Tenant { App = order.Tenant.App, TenantId = order.Tenant.TenantId } : new RevocationScope.WholeApp { App = order.Tenant.App },
            isTenant ? RevocationReason.TenantRemoved : RevocationReason.AppRemoved);
        switch (removal.Outcome)
        {
            case RemoveOutcome.Unavailable:
                throw new StoreUnavailableException("The settings could not be written.");
            case RemoveOutcome.NotEmpty:
                throw CoreException.Forbidden("Please delete all the apps belonging to this connectionUriDomain except the public app");
        }
    }

    private Task EndAsync(HttpContext context, string userId) =>
        revocations.RevokeUserAsync(User(context, userId), allTenants: true, except: null, CoreActor.Of(context));

    private static UserKey User(HttpContext context, string userId) => SessionWire.User(CoreRequest.Of(context), userId);

    /// <summary>What is made, changed or removed.</summary>
    private sealed record Order(NamedBy Named, TenantKey Tenant, TenantChange Change)
    {
        public bool IsPublic => Named switch
        {
            NamedBy.Domain => Tenant.App.Domain.Length == 0,
            NamedBy.App => Tenant.App.AppId == AppKey.PublicId,
            _ => Tenant.TenantId == TenantKey.PublicId,
        };

        public Task<PutResult> PutAsync(ITenancy tenancy) => Named switch
        {
            NamedBy.Domain => tenancy.PutDomainAsync(Tenant.App.Domain, Change, CancellationToken.None),
            NamedBy.App => tenancy.PutAppAsync(Tenant.App, Change, CancellationToken.None),
            _ => tenancy.PutTenantAsync(Tenant, Change, CancellationToken.None),
        };

        public Task<Removal> RemoveAsync(ITenancy tenancy) => Named switch
        {
            NamedBy.Domain => tenancy.RemoveDomainAsync(Tenant.App.Domain, CancellationToken.None),
            NamedBy.App => tenancy.RemoveAppAsync(Tenant.App, CancellationToken.None),
            _ => tenancy.RemoveTenantAsync(Tenant, CancellationToken.None),
        };
    }
}

/// <summary>What an operation of multi-tenancy names.</summary>
internal enum NamedBy
{
    Domain,
    App,
    Tenant,
}
