using Grid.Client;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Grid.Samples.RazorPagesIdentity.Pages;

/// <summary>The user's sessions, on any device, and the password.</summary>
public sealed class IndexModel(IGridSessions sessions, UserManager<IdentityUser> users, SignInManager<IdentityUser> signIn) : PageModel
{
    public IReadOnlyList<SessionInformation> Sessions { get; private set; } = [];

    public string? Own => HttpContext.GetGridSessionHandle();

    private string UserId => users.GetUserId(User)!;

    public async Task OnGetAsync(CancellationToken cancel)
    {
        List<SessionInformation> found = [];
        foreach (var handle in await sessions.ListAsync(UserId, tenantId: null, cancel))
        {
            if (await sessions.FindAsync(handle, cancel) is { } session)
            {
                found.Add(session);
            }
        }

        Sessions = found;
    }

    public async Task<IActionResult> OnPostElsewhereAsync(CancellationToken cancel)
    {
        await sessions.RevokeUserAsync(UserId, tenantId: null, exceptHandle: Own, cancel);
        return RedirectToPage();
    }

    public async Task<IActionResult> OnPostPasswordAsync(string current, string wanted, CancellationToken cancel)
    {
        var user = (await users.GetUserAsync(User))!;
        var result = await users.ChangePasswordAsync(user, current, wanted);
        if (result.Succeeded)
        {
            // This browser's session is renewed; the others have ended.
            await signIn.RefreshSignInAsync(user);
            return RedirectToPage();
        }

        foreach (var error in result.Errors)
        {
            ModelState.AddModelError("", error.Description);
        }

        await OnGetAsync(cancel);
        return Page();
    }

    public async Task<IActionResult> OnPostSignOutAsync()
    {
        await signIn.SignOutAsync();
        return RedirectToPage();
    }
}
