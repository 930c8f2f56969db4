using System.Collections.Concurrent;
using Grid.Silo.Commands;
using Grid.Silo.Diagnosis;
using Grid.Silo.Hosting;
using Grid.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Silo.Tests;

/// <summary>A start of this version after a later one has migrated the database: in a rolling upgrade a silo may crash, or be moved, before its turn has come.</summary>
public sealed class LaterSchemaTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-later-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string File => Path.Combine(_folder, "grid.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_starts_over_one_that_says_that_it_may_and_one_line_asks_to_finish_the_upgrade()
    {
        var known = await MigrateAsync("9001_adds_works_with_{0}");
        var log = new ConcurrentQueue<string>();

        await using (await StartAsync(log))
        {
            Assert.Equal($"The database has schema 9001_adds_works_with_{known[..4]}, of a later version; this version, which knows {known}, works over it. Finish the upgrade", Assert.Single(log, line => line.Contains("later version", StringComparison.Ordinal)));
        }

        var findings = await Doctor.ExamineAsync(Settings(), Stop);
        Assert.Contains("Finish the upgrade", Assert.Single(findings, finding => finding.Check == "schema").Text, StringComparison.Ordinal);
        Assert.DoesNotContain(findings, finding => finding.Weight == Weight.Problem);

        // It may not know of all that is there.
        var refusal = await Assert.ThrowsAsync<StoreStartException>(() => StoreVerb.RunAsync([$"--Grid:Store:SqlitePath={File}"], (_, _) => Task.FromResult(0)));
        Assert.Contains("use the later version's command", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_refused_over_one_that_does_not_with_the_version_to_start()
    {
        await MigrateAsync("9001_takes_away");
        var log = new ConcurrentQueue<string>();

        var refusal = await Assert.ThrowsAsync<StoreStartException>(() => StartAsync(log));

        Assert.Contains("Start the version of Grid that migrated it", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(refusal.Message, Assert.Single(await Doctor.ExamineAsync(Settings(), Stop), finding => finding.Check == "schema").Text);
    }

    private async Task<string> MigrateAsync(string later)
    {
        var known = StoreMigrator.For(new StoreOptions { Engine = StoreEngine.Sqlite, SqlitePath = File }).Apply().Known;
        await using var connection = new SqliteConnection($"Data Source={File};Pooling=false");
        await connection.OpenAsync(Stop);
        await using var command = connection.CreateCommand();
        command.CommandText = $"INSERT INTO grid_schema (ScriptName, Applied) VALUES ('{string.Format(System.Globalization.CultureInfo.InvariantCulture, later, known[..4])}', datetime('now'))";
        await command.ExecuteNonQueryAsync(Stop);
        return known;
    }

    private IConfigurationRoot Settings() => Configuration.Build([$"--Grid:Store:SqlitePath={File}"]);

    private async Task<WebApplication> StartAsync(ConcurrentQueue<string> log)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(new Lines(log));
        builder.AddGridSilo(grid => grid.SqlitePath = File);
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        try
        {
            await app.StartAsync(Stop);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    private sealed class Lines(ConcurrentQueue<string> all) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => all.Enqueue(formatter(state, exception));

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
