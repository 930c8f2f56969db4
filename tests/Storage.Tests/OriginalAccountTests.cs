using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Storage.Importing;
using Grid.TestKit.SuperTokens;

namespace Grid.Storage.Tests;

/// <summary>Whose sessions another core's database holds: those of accounts, each of a user, both perhaps with ids of the application's own.</summary>
public sealed class OriginalAccountTests(SharedPostgreSql shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sessions_come_under_the_primary_user_with_the_account_however_they_are_asked_for(bool isMapped)
    {
        Assert.SkipWhen(shared.Server is null, "No PostgreSQL on this machine.");
        var (user, account, lone) = (NewId(), NewId(), NewId());
        var (named, namedAccount) = isMapped ? ("own-1", "own-2") : (user, account);
        var connection = await shared.Server.CreateDatabaseAsync();
        var original = new OriginalDatabase(connection, OriginalGeneration.Rotation);
        await original.CreateAsync();
        await original.LinkAsync("public", user, user);
        await original.LinkAsync("public", account, user);
        if (isMapped)
        {
            await original.MapAsync("public", user, named);
            await original.MapAsync("public", account, namedAccount);
        }

        // By the id that the application has, and by the original's own.
        var now = TestStore.Now();
        OriginalRow[] rows = [Row(named), Row(namedAccount), Row(account), Row(lone), Row("own-3")];
        await original.AddAsync(rows);
        await using var database = await SuperTokensDatabase.OpenAsync(new SuperTokensSource(connection), maxConnections: 1, Stop);

        Dictionary<string, (string User, string Account)> found = [];
        await foreach (var session in database.ReadSessionsAsync(now, null, isBehind: true, Stop))
        {
            found.Add(session.Handle, (session.UserId, session.RecipeUserId!));
        }

        (string User, string Account)[] expected = [(named, named), (named, namedAccount), (named, namedAccount), (lone, lone), ("own-3", "own-3")];
        Assert.Equal(expected, rows.Select(row => found[row.Session.Handle]));
        foreach (var id in new[] { user, named })
        {
            Assert.Equal(rows[..3].Select(row => row.Session.Handle).Order(), (await database.FindOfUserAsync("public", id, now, Stop)).Select(session => session.Handle).Order());
        }

        foreach (var id in new[] { account, namedAccount })
        {
            Assert.Equal(rows[1..3].Select(row => row.Session.Handle).Order(), (await database.FindOfUserAsync("public", id, now, Stop)).Select(session => session.Handle).Order());
        }

        Assert.Equal([rows[3].Session.Handle], (await database.FindOfUserAsync("public", lone, now, Stop)).Select(session => session.Handle));

        OriginalRow Row(string userId) => new(new OriginalSession("public", "public", userId), NewId(), now, now.AddDays(1));
    }

    [Fact]
    public async Task An_accounts_sessions_are_taken_in_when_they_are_listed()
    {
        Assert.SkipWhen(shared.Server is null, "No PostgreSQL on this machine.");
        var (user, account) = (NewId(), NewId());
        var connection = await shared.Server.CreateDatabaseAsync();
        var original = new OriginalDatabase(connection, OriginalGeneration.Tenants);
        await original.CreateAsync();
        await original.LinkAsync("public", account, user);
        var now = TestStore.Now();
        OriginalRow[] rows = [new(new OriginalSession("public", "public", user), NewId(), now, now.AddDays(1)), new(new OriginalSession("public", "public", account), NewId(), now, now.AddDays(1))];
        await original.AddAsync(rows);
        await using var db = await TestStore.OpenAsync(StoreEngine.Sqlite, shared);
        await using var originals = new OriginalSessions(
            new SuperTokensSource(connection), db.Imports, (_, _) => new(new HashSet<string> { TenantKey.PublicId }), TimeProvider.System);
        var store = new ReadThroughStore(db.Store, originals, TimeProvider.System);

        var listed = await store.ListOfRecipeUserAsync(AppKey.Public, null, account, now, Stop);

        Assert.Equal([rows[1].Session.Handle], listed.Select(handle => handle.ToString()));
        var record = (await db.Store.ReadAsync(new SessionKey(AppKey.Public, listed[0]), Stop))!;
        Assert.Equal((user, account), (record.UserId, record.RecipeUserId));
        Assert.Equal(2, (await store.ListAsync(AppKey.Public, null, user, now, Stop)).Length);
    }

    private static string NewId() => Guid.NewGuid().ToString("D");
}
