using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Grid.Client.Tests;

/// <summary>A program without ASP.NET Core that asks for <see cref="IGridSessions"/>.</summary>
public sealed class WorkerTests(CoreHost core)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_is_given_the_sessions_and_does_all_that_a_back_end_can()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddGridClient(grid => grid.ConnectionUri = core.Url);
        builder.Services.AddSingleton(new Report());
        builder.Services.AddHostedService<Worker>();
        using var host = builder.Build();
        await host.StartAsync(Stop);

        Assert.Equal(
            ["created", "found {\"plan\":\"gold\"} {\"cart\":2}", "listed 2", "ended 1 of 2", "Unauthorised", "Ok"],
            await host.Services.GetRequiredService<Report>().Lines.Task.WaitAsync(TimeSpan.FromMinutes(2), Stop));
        await host.StopAsync(Stop);
    }

    private sealed class Report
    {
        public TaskCompletionSource<IReadOnlyList<string>> Lines { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Worker(IGridSessions sessions, Report report) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            try
            {
                var user = $"worker-{Guid.NewGuid():N}";
                var kept = await sessions.CreateAsync(new SessionDraft { UserId = user }, stoppingToken);
                var ended = await sessions.CreateAsync(new SessionDraft { UserId = user }, stoppingToken);
                List<string> lines = ["created"];
                await sessions.UpdatePayloadAsync(kept.Handle, """{"plan":"gold"}""", stoppingToken);
                await sessions.UpdateDataAsync(kept.Handle, """{"cart":2}""", stoppingToken);
                var found = (await sessions.FindAsync(kept.Handle, stoppingToken))!;
                lines.Add($"found {found.PayloadJson} {found.DataJson}");
                var listed = await sessions.ListAsync(user, tenantId: null, stoppingToken);
                lines.Add($"listed {listed.Count}");
                var revoked = await sessions.RevokeUserAsync(user, tenantId: null, exceptHandle: kept.Handle, stoppingToken);
                lines.Add($"ended {revoked.Handles.Count} of {listed.Count}");
                foreach (var session in (CreatedSession[])[ended, kept])
                {
                    lines.Add((await sessions.VerifyAsync(new TokenToCheck(session.Tokens.Access.Text, false, null, true), stoppingToken)).Verdict.ToString());
                }

                report.Lines.SetResult(lines);
            }
            catch (Exception failure)
            {
                report.Lines.SetException(failure);
            }
        }
    }
}
