using System.Collections.Concurrent;
using Grid.Client;
using Grid.Hosting;
using Grid.Hosting.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Silo.Tests;

/// <summary>Silos in applications that are disposed, as tests and short programs do, with or without having been stopped.</summary>
public sealed class DisposalTests : IDisposable
{
    private const int Stopped = 1033;

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-disposal-").FullName;
    private readonly Lines _log = new();

    private string File => Path.Combine(_folder, "grid.db");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_application_that_is_disposed_ends_its_silo_in_order_once_whether_it_was_stopped_or_not(bool isStopped)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(_log);
        builder.AddGridSilo(grid => grid.SqlitePath = File);
        await using (var app = builder.Build())
        {
            app.Urls.Add("http://127.0.0.1:0");
            await app.StartAsync(Stop);
            await app.Services.GetRequiredService<IGridSessions>().CreateAsync(new SessionDraft { UserId = "carol" }, Stop);
            if (isStopped)
            {
                await app.StopAsync(Stop);
            }
        }

        Assert.Single(_log.All, line => line.Id == Stopped);
        Assert.DoesNotContain(_log.All, line => line.Level >= LogLevel.Error);
        Assert.Equal(0, Holders());
    }

    [Fact]
    public async Task A_silo_whose_start_fails_halfway_leaves_nothing_running()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Grid:Store:SqlitePath"] = File,
            ["Grid:Core:Port"] = "0",
        }).Build();
        var silo = SiloApplication.Build(new SiloPlan
        {
            Configuration = configuration,
            Settings = GridSettings.Read(configuration),
            OpensFront = false,
            Environment = Environments.Production,
            Complete = silo =>
            {
                silo.Logging.ClearProviders();
                silo.Services.AddHostedService<Refuses>();
            },
        });
        await Assert.ThrowsAsync<InvalidOperationException>(() => silo.StartAsync(Stop));
        Assert.Equal(1, Holders());

        await silo.DisposeAsync();

        Assert.Equal(0, Holders());
    }

    private long Holders()
    {
        using var file = new SqliteConnection($"Data Source={File};Pooling=false");
        file.Open();
        using var count = new SqliteCommand("SELECT count(*) FROM grid_holder", file);
        return (long)count.ExecuteScalar()!;
    }

    private sealed class Refuses : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => throw new InvalidOperationException("Not today.");

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<(LogLevel Level, int Id, string Text)> All { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue((logLevel, eventId.Id, $"{formatter(state, exception)} {exception}"));

        public void Dispose()
        {
        }
    }
}
