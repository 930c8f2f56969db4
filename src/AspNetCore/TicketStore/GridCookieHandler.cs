using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grid.AspNetCore.TicketStore;

/// <summary>The framework's cookie handler, except that a sign-in always creates a new session.</summary>
/// <remarks>
/// The framework's handler stores a sign-in's ticket under the key that the browser sent, if there is a ticket under it. An attacker who
/// planted or stole that cookie would be signed in as well (session fixation), and a session of Grid belongs to one user only.
/// </remarks>
internal sealed class GridCookieHandler(IOptionsMonitor<CookieAuthenticationOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : CookieAuthenticationHandler(options, logger, encoder)
{
    // Has the session that the last sign-in of this request made.
    private GridCookieHandler? _latest;

    // The ticket that came is replaced: it must not be renewed.
    protected override Task FinishResponseAsync() => _latest is null ? base.FinishResponseAsync() : Task.CompletedTask;

    protected override async Task HandleSignInAsync(ClaimsPrincipal user, AuthenticationProperties? properties)
    {
        var handler = Context.RequestServices.GetRequiredService<GridCookieHandler>();
        await handler.InitializeAsync(Scheme, Context);
        await WhileAsync(CookieCall.SignIn, () => handler.SignInAnewAsync(user, properties));
        _latest = handler;
    }

    protected override async Task HandleSignOutAsync(AuthenticationProperties? properties)
    {
        if (_latest is { } latest)
        {
            await latest.HandleSignOutAsync(properties);
            return;
        }

        await WhileAsync(CookieCall.SignOut, async () =>
        {
            await base.HandleSignOutAsync(properties);

            // To the framework a session whose ticket cannot be opened is none.
            if (CookieSession.Of(Context, Scheme.Name).Came is { } handle && Options.SessionStore is { } store)
            {
                await store.RemoveAsync(handle, Context, CancellationToken.None);
            }
        });
    }

    // It reads the cookie anew and is told of no ticket.
    private Task SignInAnewAsync(ClaimsPrincipal user, AuthenticationProperties? properties) => base.HandleSignInAsync(user, properties);

    private async Task WhileAsync(CookieCall call, Func<Task> work)
    {
        var session = CookieSession.Of(Context, Scheme.Name);
        session.Call = call;
        try
        {
            await work();
        }
        finally
        {
            session.Call = CookieCall.Authenticate;
        }
    }
}
