using Grid.Client;
using Grid.Samples.MinimalApi;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication().AddGrid(grid => grid.ApiDomain = "http://localhost:3001");
builder.Services.AddAuthorization();
var app = builder.Build();

app.MapGrid();

// Anybody is believed who he is: put your own check here. Each shows what else a session can carry.
app.MapPost("/sign-in/{user}", async (HttpContext http, string user) => { await http.SignInGridAsync(user); });
app.MapPost("/sign-in-gold/{user}", async (HttpContext http, string user) => { await http.SignInGridAsync(user, new() { ["plan"] = "gold" }); });

app.MapGet("/me", (HttpContext http) => http.GetGridSession()!.UserId).RequireAuthorization();
app.MapGet("/plan", (HttpContext http) => http.GetGridSession()!.Payload.TryGetProperty("plan", out var plan) ? $"{plan}" : "none").RequireAuthorization();
app.MapGet("/admin", () => "in").RequireAuthorization(policy => policy.RequireRole("admin"));

// A claim that the session gains later, and that endpoints can ask for.
app.MapPost("/verify-email", async (HttpContext http) => { await http.GetGridSession()!.SetClaimAsync(Shop.EmailVerified, true); }).RequireAuthorization();
app.MapGet("/orders", (HttpContext http) => $"orders of {http.GetGridSession()!.UserId}").RequireGridClaims(Shop.EmailVerified.IsTrue());

app.MapGet("/sessions", async (HttpContext http, IGridSessions sessions, CancellationToken cancel) =>
    (await sessions.ListAsync(http.GetGridSession()!.UserId, tenantId: null, cancel)).Count).RequireAuthorization();
app.MapPost("/sign-out", (HttpContext http) => http.SignOutGridAsync());
app.MapPost("/sign-out-elsewhere", async (HttpContext http, IGridSessions sessions, CancellationToken cancel) =>
{
    var own = http.GetGridSession()!;
    var ended = await sessions.RevokeUserAsync(own.UserId, tenantId: null, exceptHandle: own.Handle, cancel);
    return $"{ended.Handles.Count} sessions have ended";
}).RequireAuthorization();

// Outlasts a check: it ends with the session, wherever that is ended.
app.MapGet("/wait", async (HttpContext http) =>
{
    await http.Response.WriteAsync("waiting ");
    await http.Response.Body.FlushAsync();
    await Task.Delay(Timeout.Infinite, http.GetGridSession()!.Ended).ContinueWith(_ => { }, TaskScheduler.Default);
    await http.Response.WriteAsync("ended");
}).RequireAuthorization();

app.Run(app.Configuration["URL"] ?? "http://localhost:3001");
