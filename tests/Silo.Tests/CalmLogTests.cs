using System.Net.Sockets;
using Grid.Abstractions;
using Grid.Hosting.Logs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Grid.Silo.Tests;

/// <summary>What an operator reads while a silo or the store is away.</summary>
public sealed class CalmLogTests : IDisposable
{
    private readonly Lines _lines = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly CalmLoggerFactory _log;

    public CalmLogTests() => _log = new CalmLoggerFactory(LoggerFactory.Create(builder => builder.AddProvider(_lines)), _clock);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void What_an_outage_causes_is_written_with_its_causes_and_without_a_stack()
    {
        Write("Grid.Something", LogLevel.Warning, 1, "Refused it", Thrown(Outage()));

        Assert.Equal("Warning: Refused it: PostgreSQL did not answer < Failed to connect to db:5432 < Connection refused", Assert.Single(_lines.All));
    }

    [Fact]
    public void What_nobody_expects_keeps_its_stack_and_so_does_an_error()
    {
        Write("Grid.Something", LogLevel.Warning, 1, "Odd", Thrown(new InvalidOperationException("odd")));
        Write("Grid.Something", LogLevel.Error, 1, "Look", Thrown(Outage()));
        Write("Orleans.Something", LogLevel.Error, 1, "Odd", Thrown(new InvalidCastException("odd")));

        Assert.Equal(3, _lines.All.Count);
        Assert.All(_lines.All, line => Assert.Contains("   at ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Errors_of_Orleans_about_an_outage_are_one_line_of_each_kind_and_then_a_count()
    {
        const string orleans = "Orleans.Runtime.LocalReminderService";
        for (var i = 0; i < 20; i++)
        {
            Write(orleans, LogLevel.Error, 7, $"Failed to read rows from table{i}", Thrown(Outage()));

            // Some have the exception in their text.
            var late = Thrown(new TimeoutException("It took too long"));
            Write(orleans, LogLevel.Error, 8, $"Failed: {late}", null, late);
        }

        Assert.Equal(2, _lines.All.Count);
        Assert.StartsWith(
            "Warning: The cluster's runtime goes on after a failure of LocalReminderService[7]: Failed to read rows from table0 < PostgreSQL did not answer <", _lines.All[0], StringComparison.Ordinal);
        Assert.Contains("LocalReminderService[8]: Failed: System.TimeoutException: It took too long", _lines.All[1], StringComparison.Ordinal);
        Assert.All(_lines.All, line => Assert.DoesNotContain("   at ", line, StringComparison.Ordinal));

        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("Warning: 38 more failures in the cluster's runtime (LocalReminderService[7] 19, LocalReminderService[8] 19)", _lines.All[2]);
    }

    [Fact]
    public void What_Orleans_says_without_a_failure_is_left_as_it_is()
    {
        Write("Orleans.Runtime", LogLevel.Error, 9, "Failed to get ping responses from 2", null, 2);

        Assert.Equal("Error: Failed to get ping responses from 2", Assert.Single(_lines.All));
    }

    [Fact]
    public void A_failure_of_several_is_expected_if_each_of_them_is()
    {
        Assert.True(ExpectedFailure.Is(new AggregateException(Outage(), new TimeoutException())));
        Assert.False(ExpectedFailure.Is(new AggregateException(Outage(), new InvalidOperationException())));
        Assert.True(ExpectedFailure.Is(new InvalidOperationException("", new SocketException())));
        Assert.Equal(new string('x', 300) + "…", ExpectedFailure.Describe(new TimeoutException(new string('x', 400))));
    }

    private void Write(string category, LogLevel level, int id, string text, Exception? failure, params object?[] values)
    {
        List<KeyValuePair<string, object?>> state = [.. values.Select(value => KeyValuePair.Create("Value", value))];
        _log.CreateLogger(category).Log(level, id, state, failure, (_, _) => text);
    }

    private static StoreUnavailableException Outage() => new(
        "PostgreSQL did not answer.", new NpgsqlException("Failed to connect to db:5432", new IOException("Connection refused\n   at somewhere", new IOException("Connection refused"))));

    private static Exception Thrown(Exception failure)
    {
        try
        {
            throw failure;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public List<string> All { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add($"{logLevel}: {formatter(state, exception)}{exception}");

        public void Dispose()
        {
        }
    }
}
