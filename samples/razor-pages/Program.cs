using Microsoft.AspNetCore.DataProtection;

var builder = WebApplication.CreateBuilder(args);
builder.AddGridSilo();
builder.Services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo("data/keys"));
builder.Services.AddAuthentication("Cookies").AddCookie(cookie => cookie.LoginPath = "/SignIn").AddGridTicketStore();
builder.Services.AddRazorPages(pages => pages.Conventions.AuthorizeFolder("/").AllowAnonymousToPage("/SignIn"));
var app = builder.Build();

app.MapRazorPages();

app.Run(app.Configuration["URL"] ?? "http://localhost:3001");
