using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Grid.Samples.RazorPages.Pages;

/// <summary>Asks who it is, and believes it.</summary>
public sealed class SignInModel : PageModel
{
    public async Task<IActionResult> OnPostAsync(string? name, string? returnUrl)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 128)
        {
            return Page();
        }

        // Here a real application checks a password.
        await HttpContext.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, name), new Claim(ClaimTypes.Name, name)], "Cookies")));
        return LocalRedirect(Url.IsLocalUrl(returnUrl) ? returnUrl : "/");
    }
}
