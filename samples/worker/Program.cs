using Grid.Samples.Worker;

var builder = Host.CreateApplicationBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.AddGridGrainClient(grid =>
{
    // Grid:Gateways:0, Grid:ApiKey, … or the connection string GridCluster; else a silo on this machine.
    builder.Configuration.GetSection("Grid").Bind(grid);
    if (grid.Gateways.Count == 0 && builder.Configuration.GetConnectionString("GridCluster") is null)
    {
        grid.Gateways.Add("127.0.0.1:30000");
    }
});
builder.Services.AddHostedService<SupportDesk>();

builder.Build().Run();
