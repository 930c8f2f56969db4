using System.Collections.Concurrent;
using System.Net;
using Grid.Client;
using Grid.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Silo.Tests;

/// <summary>The procedure of docs/operations.md: add the new key, move clients over, remove the old one; nothing is restarted.</summary>
public sealed class ApiKeyRotationTests : IDisposable
{
    private const string Old = "an-old-key-of-the-installation-01";
    private const string New = "the-new-key-of-the-installation-02";

    private readonly string _folder = Directory.CreateTempSubdirectory("grid-rotation-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Keys => Path.Combine(_folder, "api-keys");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_key_is_added_clients_move_over_and_whoever_still_has_the_withdrawn_one_is_cut_off_and_told()
    {
        await File.WriteAllTextAsync(Keys, Old, Stop);
        await using var silo = await StartSiloAsync();
        var grid = silo.Services.GetRequiredService<EmbeddedSilo>();
        using var http = new HttpClient { BaseAddress = grid.Core };
        Assert.Equal(HttpStatusCode.OK, await AskAsync(http, Old));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(http, New));

        await File.WriteAllTextAsync(Keys, $"{Old},{New}", Stop);
        await UntilAsync(async () => await AskAsync(http, New) == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(http, Old));

        // A service that checks tokens with the old key is a holder.
        var log = new ConcurrentQueue<(int Id, string Text)>();
        using var service = await StartServiceAsync(grid.Core!, log);
        var sessions = service.Services.GetRequiredService<IGridSessions>();
        var made = await sessions.CreateAsync(new SessionDraft { UserId = "u" }, Stop);
        await UntilAsync(async () =>
        {
            try
            {
                return (await sessions.VerifyAsync(new TokenToCheck(made.Tokens.Access.Text, false, null, false), Stop)).Verdict == SessionVerdict.Ok;
            }
            catch (GridException)
            {
                return false;
            }
        });

        await File.WriteAllTextAsync(Keys, New, Stop);
        await UntilAsync(async () => await AskAsync(http, Old) == HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(http, New));
        await UntilAsync(() => Task.FromResult(log.Any(line => line.Id is 4101 or 4102 && (line.Text.Contains("API key", StringComparison.Ordinal) || line.Text.Contains("401", StringComparison.Ordinal)))));

        // What happens to the file by mistake opens nothing, and shuts nobody out.
        await File.WriteAllTextAsync(Keys, "", Stop);
        await UntilAsync(async () => (await HealthAsync(http)).Contains("cannot be used", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(http, null));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(http, New));

        // Not ready for another reason it is for a moment on a machine without time for it.
        await UntilAsync(async () =>
        {
            using var ready = await http.GetAsync("/health/ready?verbose", Stop);
            return ready.IsSuccessStatusCode && (await ready.Content.ReadAsStringAsync(Stop)).Contains("cannot be used", StringComparison.Ordinal);
        });
    }

    private static async Task<HttpStatusCode> AskAsync(HttpClient http, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/recipe/session/user?userId=u");
        if (key is not null)
        {
            request.Headers.Add("api-key", key);
        }

        using var response = await http.SendAsync(request, Stop);

        // Wrong keys beyond some from one address get 429.
        return response.StatusCode == HttpStatusCode.TooManyRequests ? HttpStatusCode.Unauthorized : response.StatusCode;
    }

    private static async Task<string> HealthAsync(HttpClient http)
    {
        using var answer = await http.GetAsync("/health/ready?verbose", Stop);
        return await answer.Content.ReadAsStringAsync(Stop);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var tries = 0; !await isSo(); tries++)
        {
            Assert.True(tries < 600, "It does not come about.");
            await Task.Delay(200, Stop);
        }
    }

    private static async Task<IHost> StartServiceAsync(Uri core, ConcurrentQueue<(int Id, string Text)> log)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(new Lines(log));
        builder.Services.AddGridClient(grid => (grid.ConnectionUri, grid.ApiKey) = (core, Old));
        var host = builder.Build();
        await host.StartAsync(Stop);
        return host;
    }

    private async Task<WebApplication> StartSiloAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["Grid:Core:ApiKeys_FILE"] = Keys;
        builder.AddGridSilo(grid =>
        {
            (grid.SqlitePath, grid.OpenCoreApi) = (Path.Combine(_folder, "grid.db"), true);
            grid.Settings["Grid:Core:Port"] = "0";
        });
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync(Stop);
        return app;
    }

    private sealed class Lines(ConcurrentQueue<(int Id, string Text)> all) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => all.Enqueue((eventId.Id, formatter(state, exception)));

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
