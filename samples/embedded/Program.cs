using Grid.Client;

var builder = WebApplication.CreateBuilder(args);
builder.AddGridSilo();
builder.Services.AddAuthentication().AddGrid(grid => grid.ApiDomain = "http://localhost:3001");
builder.Services.AddAuthorization();
var app = builder.Build();

app.MapGrid();
app.MapHealthChecks("/health");
app.MapPost("/sign-in/{user}", async (HttpContext http, string user) => { await http.SignInGridAsync(user); });
app.MapGet("/me", (HttpContext http) => http.GetGridSession()!.UserId).RequireAuthorization();
app.MapPost("/end-all", async (HttpContext http, IGridSessions sessions, CancellationToken cancel) =>
{
    var ended = await sessions.RevokeUserAsync(http.GetGridSession()!.UserId, tenantId: null, exceptHandle: null, cancel);
    return $"{ended.Handles.Count} sessions have ended\n";
}).RequireAuthorization();

app.Run(app.Configuration["URL"] ?? "http://localhost:3001");
