using Grid.Samples.BlazorServer.Components;
using Microsoft.AspNetCore.Authentication;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication("Cookies").AddCookie(cookie => cookie.LoginPath = "/sign-in").AddGridTicketStore();
builder.Services.AddAuthorization();
builder.Services.AddCascadingAuthenticationState();
builder.Services.AddRazorComponents().AddInteractiveServerComponents();
builder.WebHost.UseStaticWebAssets();   // Blazor's script, without publishing first
var app = builder.Build();

app.UseAntiforgery();
app.MapStaticAssets();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode().EndsWithGridSession();
app.MapPost("/sign-out", async (HttpContext http) =>
{
    await http.SignOutAsync();
    return Results.LocalRedirect("/");
});

app.Run(app.Configuration["URL"] ?? "http://localhost:3003");
