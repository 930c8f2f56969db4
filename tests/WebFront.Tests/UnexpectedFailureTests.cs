using Grid.WebFront.Core;
using Grid.WebFront.Front;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Grid.WebFront.Tests;

/// <summary>A fault in Grid itself that every request meets.</summary>
public sealed class UnexpectedFailureTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly CapturedLog _log = new();
    private readonly LoggerFactory _loggers;

    public UnexpectedFailureTests() => _loggers = new LoggerFactory([_log]);

    public void Dispose() => _loggers.Dispose();

    [Fact]
    public async Task A_fault_that_every_request_of_the_core_API_meets_is_a_few_lines_of_the_log()
    {
        using var failures = new CoreFailures(_clock, _loggers.CreateLogger<CoreFailures>());

        await MeetAsync(failures.GuardAsync);

        Assert.Equal(
            [
                (3101, "Unexpected failure: InvalidOperationException in /recipe/session/verify. Further ones are counted"),
                (3101, "Unexpected failure: FormatException in no operation. Further ones are counted"),
                (3105, "198 more unexpected failures (InvalidOperationException in /recipe/session/verify 99, FormatException in no operation 99)"),
            ],
            _log.Lines);
    }

    [Fact]
    public async Task A_fault_that_every_request_of_the_front_meets_is_a_few_lines_of_the_log()
    {
        using var failures = new FrontFailures(_clock, _loggers.CreateLogger<FrontFailures>());

        await MeetAsync(failures.GuardAsync);

        Assert.Equal([3200, 3200, 3202], _log.Lines.Select(line => line.Id));
    }

    private async Task MeetAsync(Func<HttpContext, RequestDelegate, Task> guard)
    {
        for (var i = 0; i < 100; i++)
        {
            // Strangers choose paths: they are no kinds of their own.
            Assert.Equal(500, await StatusAsync(guard, "/recipe/session/verify", new InvalidOperationException(), RoutePatternFactory.Parse("/recipe/session/verify")));
            Assert.Equal(500, await StatusAsync(guard, $"/{i}", new FormatException(), null));
        }

        _clock.Advance(TimeSpan.FromSeconds(5));
        _clock.Advance(TimeSpan.FromMinutes(1));
    }

    private static async Task<int> StatusAsync(Func<HttpContext, RequestDelegate, Task> guard, string path, Exception failure, RoutePattern? route)
    {
        var context = new DefaultHttpContext { Request = { Method = "POST", Path = path } };
        if (route is not null)
        {
            context.SetEndpoint(new RouteEndpoint(_ => Task.CompletedTask, route, 0, null, null));
        }

        await guard(context, _ => throw failure);
        return context.Response.StatusCode;
    }
}
