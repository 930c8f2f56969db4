using Grid.Revocation.Relay;
using Grid.WebFront.Core.Revocation;

namespace Grid.WebFront.Tests;

/// <summary>What one app's services may take of a process.</summary>
public sealed class ServiceDoorTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Looks_beyond_a_burst_wait_for_their_turn_and_another_app_s_do_not()
    {
        using var door = new ServiceDoor(new HolderRelay(null!, null!, () => "", new RelayLimits()));
        var (looks, turn) = (0, Task.CompletedTask);
        while (turn.IsCompleted && looks < 100 * ServiceDoor.LooksAtOnce)
        {
            turn = door.PaceLookAsync("greedy", Stop);
            looks++;
        }

        Assert.False(turn.IsCompleted);
        Assert.True(looks > ServiceDoor.LooksAtOnce);
        Assert.True(door.PaceLookAsync("neighbour", Stop).IsCompletedSuccessfully);
        await turn.WaitAsync(TimeSpan.FromMinutes(2), Stop);
    }

    [Fact]
    public async Task A_look_that_waits_for_its_turn_ends_with_its_connection()
    {
        using var door = new ServiceDoor(new HolderRelay(null!, null!, () => "", new RelayLimits()));
        using var connection = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var turn = Task.CompletedTask;
        while (turn.IsCompletedSuccessfully)
        {
            turn = door.PaceLookAsync("greedy", connection.Token);
        }

        await connection.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turn);
    }
}
