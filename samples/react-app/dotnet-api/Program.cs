using Grid.Client;
using Grid.Samples.ReactApi;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseUrls(Setting.Of("URL", $"http://127.0.0.1:{Setting.Port}"));
builder.Services.AddAuthentication().AddGrid(Setting.Apply);
builder.Services.AddAuthorization();
builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(Setting.WebsiteDomain).AllowCredentials().AllowAnyHeader().AllowAnyMethod()));

var app = builder.Build();

// In this order, or refusals reach the browser without CORS headers and the SDK cannot read them.
app.UseCors();
app.UseAuthentication();
app.UseAuthorization();
app.MapGrid();

app.MapPost("/api/sign-in", async (HttpContext http, User user) =>
{
    await http.SignInGridAsync(user.UserId);
    return user;
});
app.MapGet("/api/me", (HttpContext http) =>
{
    var session = http.GetGridSession()!;
    return new { session.UserId, SessionHandle = session.Handle, session.Payload };
}).RequireAuthorization();
app.MapPost("/api/notes", () => new { Ok = true }).RequireAuthorization();
app.MapGet("/api/verified", () => new { Ok = true }).RequireGridClaims(Claims.EmailVerified.IsTrue());
app.MapPost("/api/verify-email", async (HttpContext http) =>
{
    await http.GetGridSession()!.SetClaimAsync(Claims.EmailVerified, true);
    return new { Ok = true };
}).RequireAuthorization();

// Stands for an administrator's action; a real one would be protected.
app.MapPost("/api/end-all", async (IGridSessions sessions, User user, CancellationToken cancel) =>
    new { Ended = (await sessions.RevokeUserAsync(user.UserId, tenantId: null, exceptHandle: null, cancel)).Handles.Count });

app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"listening on {app.Urls.Single()}"));
app.Run();
