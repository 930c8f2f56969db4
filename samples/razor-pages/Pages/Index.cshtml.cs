using System.Security.Claims;
using Grid.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Grid.Samples.RazorPages.Pages;

/// <summary>The user's sessions, on any device.</summary>
public sealed class IndexModel(IGridSessions sessions) : PageModel
{
    public IReadOnlyList<SessionInformation> Sessions { get; private set; } = [];

    public string? Own => HttpContext.GetGridSessionHandle();

    private string UserId => User.FindFirstValue(ClaimTypes.NameIdentifier)!;

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

    public async Task<IActionResult> OnPostSignOutAsync()
    {
        await HttpContext.SignOutAsync();
        return RedirectToPage();
    }
}
