using Grid.Client;
using Grid.ProtectedService;

// An application as there are many, in a process of its own, for tests that kill it, stop it and cut its cable.
var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Grid.AspNetCore.Authentication.GridHandler", LogLevel.Warning);
builder.Services.AddSingleton<Neighbour>();
if (builder.Configuration["Service:Cluster"] is { } cluster)
{
    // Over Orleans instead of HTTP. Shorter than by default, as its callers are impatient.
    builder.AddGridGrainClient(grid =>
    {
        grid.ConnectionString = cluster;
        grid.Timeout = TimeSpan.FromSeconds(3);
    });
}

builder.Services.AddAuthentication().AddGrid(grid => builder.Configuration.GetSection("Service").Bind(grid));
builder.Services.AddAuthorization();

var app = builder.Build();
app.MapGrid();
app.MapGet("/me", (HttpContext http) => http.GetGridSession()!.UserId).RequireAuthorization();

// What a worker does, who never sees a token.
app.MapPost("/work", async (IGridSessions sessions, CancellationToken cancel) =>
{
    var made = await sessions.CreateAsync(new SessionDraft { UserId = "worker" }, cancel);
    await sessions.ListAsync("worker", null, cancel);
    return (await sessions.RevokeAsync(made.Handle, cancel)).Receipt;
});
app.MapCalls();
await using var crowd = await Crowd.StartAsync(builder.Configuration.GetValue("Service:Crowd", 0), builder.Configuration.GetValue<Uri>("Service:ConnectionUri"));
app.MapPost("/crowd", crowd.CheckAsync);
app.Services.GetRequiredService<Neighbour>();
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"listens on {app.Urls.Single()}"));
await app.RunAsync();
