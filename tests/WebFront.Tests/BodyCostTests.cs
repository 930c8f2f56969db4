using System.Runtime.InteropServices;
using System.Text;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;

namespace Grid.WebFront.Tests;

/// <summary>What a body costs grows with its length, not faster, whichever field it is read as.</summary>
public sealed class BodyCostTests
{
    private static readonly Dictionary<string, Func<int, string>> Values = new()
    {
        ["strings with a nested one last"] = n => $"[{Repeat("\"\"", n)},[\"\"]]",
        ["strings with a nested one in the middle"] = n => $"[{Repeat("\"\"", n / 2)},[[]],{Repeat("\"\"", n / 2)}]",
        ["nested ones"] = n => $"[{Repeat("[[]]", n)}]",
        ["objects"] = n => $"[{Repeat("{\"a\":{}}", n)}]",
        ["members"] = n => $"{{{string.Join(',', Enumerable.Range(0, n).Select(i => $"\"member{i}\":{i}"))}}}",
        ["escaped members"] = n => $"{{{string.Join(',', Enumerable.Range(0, n).Select(i => $"\"\\u0061{i}\":\"\\u00e9\""))}}}",
        ["a long text"] = n => $"\"{new string('x', 8 * n)}\"",
        ["a long escaped text"] = n => $"\"{string.Concat(Enumerable.Repeat("\\u00e9", n))}\"",
        ["a long number"] = n => new string('7', 8 * n),
        ["a long fraction"] = n => $"0.{new string('7', 8 * n)}e1",
        ["white space"] = n => $"[{new string(' ', 8 * n)}]",
        ["nested to the limit"] = n => $"[{Repeat($"{new string('[', 29)}{new string(']', 29)}", n / 16)}]",
    };

    private static readonly Dictionary<string, Action<CoreBody>> Readers = new()
    {
        ["string"] = body => body.StringOrNull("field"),
        ["bool"] = body => body.BoolOrNull("field"),
        ["number"] = body => body.LongOrNull("field"),
        ["object"] = body => body.ObjectOrNull("field"),
        ["strings"] = body => body.StringsOrNull("field", int.MaxValue, out _),
        ["has"] = body => body.Has("field"),
        ["absent"] = body => body.StringOrNull("nowhere"),
    };

    public static TheoryData<string, string> Cases => [.. Values.Keys.SelectMany(_ => Readers.Keys, (value, reader) => (value, reader))];

    [Theory, MemberData(nameof(Cases))]
    public async Task Four_times_the_body_costs_about_four_times_as_much(string value, string reader)
    {
        const int Few = 5_000;
        var few = Body(Values[value](Few), Few);
        var many = Body(Values[value](4 * Few), 4 * Few);
        await MeasureAsync(few, Readers[reader], 3);

        var (fewCost, manyCost) = (await MeasureAsync(few, Readers[reader], 7), await MeasureAsync(many, Readers[reader], 7));

        // Twelve for four: a quadratic reader needs sixteen. The addend is what a collection of garbage may take.
        Assert.True(manyCost < (12 * fewCost) + 5_000_000, $"{fewCost} and {manyCost} ns");
    }

    [Fact]
    public async Task An_array_that_is_too_long_is_refused_unread()
    {
        using var body = await ReadAsync(Encoding.UTF8.GetBytes($"{{\"field\":[{Repeat("\"text\"", 100_000)}]}}"));
        Assert.Throws<CoreException>(() => body.StringsOrNull("field", 1000, out _));
        var before = GC.GetAllocatedBytesForCurrentThread();

        var refusal = Assert.Throws<CoreException>(() => body.StringsOrNull("field", 1000, out _));

        Assert.Equal((400, "Field name 'field' may hold at most 1000 items"), (refusal.Status, refusal.Message));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 * 1024);
    }

    [Fact]
    public async Task A_text_beyond_measure_is_refused_and_one_at_the_limit_is_read()
    {
        using var body = await ReadAsync(Encoding.UTF8.GetBytes($"{{\"at\":\"{new string('x', CoreBody.MaxText)}\",\"over\":\"{new string('x', CoreBody.MaxText + 1)}\",\"list\":[\"{new string('x', CoreBody.MaxText + 1)}\"]}}"));

        Assert.Equal(CoreBody.MaxText, body.String("at").Length);
        Assert.Equal(
            $"Field name 'over' is invalid in JSON input: a text may have {CoreBody.MaxText} bytes", Assert.Throws<CoreException>(() => body.String("over")).Message);
        Assert.Throws<CoreException>(() => body.StringsOrNull("list", 10, out _));
    }

    [Fact]
    public async Task Whoever_has_left_is_not_read_for()
    {
        var context = new DefaultHttpContext { RequestAborted = new CancellationToken(canceled: true), Request = { Body = new MemoryStream("{}"u8.ToArray()) } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CoreBody.ReadAsync(context));
    }

    private static byte[] Body(string value, int members) => Encoding.UTF8.GetBytes($"{{\"before\":1,\"field\":{value},\"members\":{members}}}");

    private static string Repeat(string item, int count) => string.Join(',', Enumerable.Repeat(item, count));

    private static async Task<CoreBody> ReadAsync(byte[] bytes) =>
        await CoreBody.ReadAsync(new DefaultHttpContext { Request = { Body = new MemoryStream(bytes), ContentLength = bytes.Length } });

    // Nanoseconds of this thread at work, so that a busy machine does not count: nothing here waits, so the thread stays the same.
    private static long Spent()
    {
        const int ThreadCpuTime = 3;
        var time = new long[2];
        _ = clock_gettime(ThreadCpuTime, time);
        return (time[0] * 1_000_000_000) + time[1];
    }

    [DllImport("libc")]
    private static extern int clock_gettime(int clock, [Out] long[] time);

    private static async Task<long> MeasureAsync(byte[] bytes, Action<CoreBody> read, int times)
    {
        var best = long.MaxValue;
        for (var i = 0; i < times; i++)
        {
            var started = Spent();
            using (var body = await ReadAsync(bytes))
            {
                try
                {
                    read(body);
                }
                catch (CoreException)
                {
                    // Refused; it had to be read all the same.
                }
            }

            best = Math.Min(best, Spent() - started);
        }

        return best;
    }
}
