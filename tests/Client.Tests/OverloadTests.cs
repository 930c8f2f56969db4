using Microsoft.Extensions.DependencyInjection;

namespace Grid.Client.Tests;

public sealed class OverloadTests(CoreHost core)
{
    [Fact]
    public async Task A_silo_with_too_many_requests_is_an_outage_to_a_service_and_ends_sessions_all_the_same()
    {
        await using var app = await ClientApp.StartAsync(core);

        await Overloads.AreOutagesAsync(core, app.Services.GetRequiredService<IGridSessions>(), TestContext.Current.CancellationToken);
    }
}
