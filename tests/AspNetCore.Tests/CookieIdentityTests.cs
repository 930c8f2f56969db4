using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using Grid.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.AspNetCore.Tests;

/// <summary>ASP.NET Core Identity over Grid's ticket store.</summary>
public sealed class CookieIdentityTests(CoreHost core)
{
    private const string CookieName = ".AspNetCore.Identity.Application";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Identity_signs_in_refreshes_and_signs_out_who_has_an_old_security_stamp()
    {
        var user = new User { Name = $"user-{Guid.NewGuid():N}" };
        await using var app = await StartAsync(user);
        using var here = new TestBrowser(new Uri(app.Urls.Single()), followsRedirects: false);
        using var there = new TestBrowser(new Uri(app.Urls.Single()), followsRedirects: false);
        await here.PostAsync("/sign-in");
        await there.PostAsync("/sign-in");
        Assert.Equal((200, $"{user.Name} {user.SecurityStamp}"), await Answers.Brief(there.GetAsync("/me")));
        var former = here.Cookies[CookieName];
        Assert.Equal(302, (await here.SendAsync("GET", "/me", cookie: "")).Status);

        // As a page that changes the password does it.
        Assert.Equal(200, (await here.PostAsync("/change")).Status);

        Assert.NotEqual(former, here.Cookies[CookieName]);
        Assert.Equal((200, $"{user.Name} {user.SecurityStamp}"), await Answers.Brief(here.GetAsync("/me")));
        Assert.Equal(302, (await here.SendAsync("GET", "/me", cookie: $"{CookieName}={former}")).Status);
        Assert.Equal(302, (await there.GetAsync("/me")).Status);
        Assert.Equal([(await here.GetAsync("/handle")).Text], await app.Services.GetRequiredService<IGridSessions>().ListAsync(user.Id, null, Stop));
        await here.PostAsync("/sign-out");
        Assert.Empty(await app.Services.GetRequiredService<IGridSessions>().ListAsync(user.Id, null, Stop));
    }

    private async Task<WebApplication> StartAsync(User user)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<IUserStore<User>>(new Users { [user.Id] = user });
        builder.Services.AddIdentityCore<User>().AddSignInManager();
        builder.Services.AddAuthentication(IdentityConstants.ApplicationScheme).AddIdentityCookies();
        builder.Services.AddAuthentication().AddGridTicketStore(IdentityConstants.ApplicationScheme);
        builder.Services.AddGridClient(grid => grid.ConnectionUri = core.Url);
        builder.Services.Configure<SecurityStampValidatorOptions>(options => options.ValidationInterval = TimeSpan.Zero);
        builder.Services.AddAuthorization();
        var app = builder.Build();
        app.MapPost("/sign-in", (SignInManager<User> manager) => manager.SignInAsync(user, isPersistent: false));
        app.MapPost("/change", async (SignInManager<User> manager, UserManager<User> users) =>
        {
            await users.UpdateSecurityStampAsync(user);
            await manager.RefreshSignInAsync(user);
        }).RequireAuthorization();
        app.MapPost("/sign-out", (SignInManager<User> manager) => manager.SignOutAsync());
        app.MapGet("/me", (ClaimsPrincipal principal) => $"{principal.Identity!.Name} {principal.FindFirstValue("AspNet.Identity.SecurityStamp")}").RequireAuthorization();
        app.MapGet("/handle", (HttpContext http) => http.GetGridSessionHandle()).RequireAuthorization();
        await app.StartAsync(Stop);
        return app;
    }

    private sealed class User
    {
        public string Id { get; } = Guid.NewGuid().ToString();

        public string? Name { get; set; }

        public string? SecurityStamp { get; set; } = "first";
    }

    private sealed class Users : ConcurrentDictionary<string, User>, IUserSecurityStampStore<User>
    {
        public Task<string> GetUserIdAsync(User user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

        public Task<string?> GetUserNameAsync(User user, CancellationToken cancellationToken) => Task.FromResult(user.Name);

        public Task<string?> GetNormalizedUserNameAsync(User user, CancellationToken cancellationToken) => Task.FromResult(user.Name);

        public Task<string?> GetSecurityStampAsync(User user, CancellationToken cancellationToken) => Task.FromResult(user.SecurityStamp);

        public Task<User?> FindByIdAsync(string userId, CancellationToken cancellationToken) => Task.FromResult(this.GetValueOrDefault(userId));

        public Task<User?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => Task.FromResult<User?>(null);

        public Task<IdentityResult> UpdateAsync(User user, CancellationToken cancellationToken) => Task.FromResult(IdentityResult.Success);

        public Task<IdentityResult> CreateAsync(User user, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IdentityResult> DeleteAsync(User user, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task SetUserNameAsync(User user, string? userName, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task SetNormalizedUserNameAsync(User user, string? normalizedName, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task SetSecurityStampAsync(User user, string stamp, CancellationToken cancellationToken)
        {
            user.SecurityStamp = stamp;
            return Task.CompletedTask;
        }

        public void Dispose()
        {
        }
    }
}
