using System.Net;
using System.Net.Sockets;
using Grid.Abstractions;
using Grid.Abstractions.Apps;
using Grid.Storage.Importing;

namespace Grid.Storage.Tests;

/// <summary>Rows of another core's database, and that database while it does not answer.</summary>
public sealed class OriginalSessionsTests
{
    [Theory]
    [InlineData(long.MaxValue, 1, null)]
    [InlineData(253_402_300_800_000, 1, null)]
    [InlineData(2, long.MinValue, null)]
    [InlineData(2, -1, null)]
    [InlineData(2, 1, long.MaxValue)]
    public void A_row_whose_times_are_no_times_is_refused_by_itself(long expiresAt, long createdAt, long? rotatedAt)
    {
        Assert.False(Row(expiresAt, createdAt, rotatedAt).TryConvert(out _, out var why));
        Assert.Equal("one of its times is before 1970 or after the year 9999", why);
        Assert.True(Row(2, 1, 1).TryConvert(out _, out _));
    }

    [Fact]
    public async Task Who_waited_for_an_attempt_to_connect_that_failed_makes_none_of_his_own()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var source = new SuperTokensSource($"Host=127.0.0.1;Port={((IPEndPoint)listener.LocalEndpoint).Port};Username=u;Database=d;SSL Mode=Disable;GSS Encryption Mode=Disable");

        // No store and no tenants are needed as long as nothing is found.
        await using var originals = new OriginalSessions(source, null!, (_, _) => new(new HashSet<string>()), new StoppedTime());
        var calls = Enumerable.Range(0, 8).Select(i => originals.TakeInAsync(new AppKey("", AppKey.PublicId), $"user-{i}", DateTimeOffset.UnixEpoch)).ToList();
        var attempts = 0;
        var all = Task.WhenAll(calls);
        while (!all.IsCompleted)
        {
            var accepted = listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask();
            if (await Task.WhenAny(accepted, all) == accepted)
            {
                (await accepted).Dispose();
                attempts++;
            }
        }

        listener.Stop();
        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => call);
        }

        Assert.Equal(1, attempts);
    }

    private static SuperTokensSession Row(long expiresAt, long createdAt, long? rotatedAt) => new()
    {
        App = "public",
        Tenant = "public",
        Handle = Guid.NewGuid().ToString("D"),
        UserId = "u",
        CurrentHash = new string('a', 64),
        PreviousHash = rotatedAt is null ? null : new string('b', 64),
        RotatedAt = rotatedAt,
        UsesStaticKey = false,
        CreatedAt = createdAt,
        ExpiresAt = expiresAt,
    };

    private sealed class StoppedTime : TimeProvider
    {
        public override long GetTimestamp() => 1;
    }
}
