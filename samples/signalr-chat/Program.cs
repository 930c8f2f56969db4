using Grid.Client;
using Grid.Samples.SignalRChat;

var builder = WebApplication.CreateBuilder(args);
var url = builder.Configuration["URL"] ?? "http://localhost:3002";
builder.Services.AddAuthentication().AddGrid(grid => grid.ApiDomain = url);
builder.Services.AddAuthorization();
builder.Services.AddSignalR();
var app = builder.Build();

app.UseDefaultFiles();
app.UseStaticFiles();
app.MapGrid();
app.MapHub<ChatHub>("/chat").RequireAuthorization().EndsWithGridSession();

// Here a real application checks a password.
app.MapPost("/sign-in/{user}", async (HttpContext http, string user) => { await http.SignInGridAsync(user); });
app.MapPost("/end-all", async (HttpContext http, IGridSessions sessions, CancellationToken cancel) =>
{
    await sessions.RevokeUserAsync(http.GetGridSession()!.UserId, tenantId: null, exceptHandle: null, cancel);
}).RequireAuthorization();

app.Run(url);
