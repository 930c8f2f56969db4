using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Grid.Samples.RazorPagesIdentity.Pages;

/// <summary>Signs in whom Identity knows, or makes an account.</summary>
public sealed class SignInModel(UserManager<IdentityUser> users, SignInManager<IdentityUser> signIn) : PageModel
{
    public async Task<IActionResult> OnPostAsync(string name, string password, string? returnUrl)
    {
        var result = ModelState.IsValid ? await signIn.PasswordSignInAsync(name, password, isPersistent: false, lockoutOnFailure: true) : Microsoft.AspNetCore.Identity.SignInResult.Failed;
        return result.Succeeded ? Home(returnUrl) : Again("Name or password is wrong.");
    }

    public async Task<IActionResult> OnPostRegisterAsync(string name, string password, string? returnUrl)
    {
        var user = new IdentityUser(name);
        var result = await users.CreateAsync(user, password);
        if (!result.Succeeded)
        {
            return Again([.. result.Errors.Select(error => error.Description)]);
        }

        await signIn.SignInAsync(user, isPersistent: false);
        return Home(returnUrl);
    }

    private LocalRedirectResult Home(string? returnUrl) => LocalRedirect(Url.IsLocalUrl(returnUrl) ? returnUrl : "/");

    private PageResult Again(params string[] problems)
    {
        foreach (var problem in problems)
        {
            ModelState.AddModelError("", problem);
        }

        return Page();
    }
}
