using Grid.Bench.Http.Report;
using Grid.Bench.Http.Scenarios;
using Grid.Bench.Http.Servers;

namespace Grid.Bench.Http;

/// <summary>The bare endpoint under the same load generator, once with requests and answers of a verify's size, once of a create's.</summary>
internal static class ConstantRun
{
    // Lengths of Grid's own: an access token, and the bodies that answer verify and create.
    private const int AccessTokenLength = 936;
    private const int VerifyAnswer = 266;
    private const int CreateAnswer = 1_467;

    public static async Task RunAsync(RunSettings settings, List<Figure> figures)
    {
        using (var server = await ConstantServer.StartAsync(VerifyAnswer))
        {
            Run("verify", server, [CoreRequests.Verify(new string('t', AccessTokenLength), checkDatabase: true)]);
        }

        using (var server = await ConstantServer.StartAsync(CreateAnswer))
        {
            Run("create", server, [CoreRequests.Create("constant-000000000")]);
        }

        void Run(string size, ServerProcess server, byte[][] requests)
        {
            var measured = new Measured(Markdown.Constant, server, postmaster: null, settings, figures);
            foreach (var concurrency in settings.Concurrency)
            {
                measured.For(size, concurrency, () => new PreparedRequests(requests));
            }
        }
    }
}
