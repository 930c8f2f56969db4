namespace Grid.GrainClient.Tests;

public sealed class OverloadTests(CoreHost core)
{
    [Fact]
    public async Task A_silo_with_too_many_requests_is_an_outage_to_a_service_and_ends_sessions_all_the_same()
    {
        await using var worker = await Worker.StartAsync(core);

        await Overloads.AreOutagesAsync(core, worker.Sessions, TestContext.Current.CancellationToken);
    }
}
