using Grid.Samples.RazorPagesIdentity;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

var builder = WebApplication.CreateBuilder(args);
Directory.CreateDirectory("data");
builder.Services.AddDbContext<Users>(database => database.UseSqlite("Data Source=data/users.db"));
builder.Services.AddIdentity<IdentityUser, IdentityRole>(identity => identity.Password = new() { RequireDigit = false, RequireUppercase = false, RequireNonAlphanumeric = false })
    .AddEntityFrameworkStores<Users>()
    .AddGridTicketStore();
builder.Services.ConfigureApplicationCookie(cookie => cookie.LoginPath = "/SignIn");
builder.Services.AddRazorPages(pages => pages.Conventions.AuthorizeFolder("/").AllowAnonymousToPage("/SignIn"));
var app = builder.Build();
using (var start = app.Services.CreateScope())
{
    await start.ServiceProvider.GetRequiredService<Users>().Database.EnsureCreatedAsync();
}

app.MapRazorPages();

app.Run(app.Configuration["URL"] ?? "http://localhost:3004");
