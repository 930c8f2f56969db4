using System.Text;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Clocks;
using Grid.Abstractions.Sessions;
using Grid.Grains.Holders;
using Grid.Revocation;
using Grid.Revocation.Holders;
using Grid.Tokens;
using Grid.Tokens.Refresh;

namespace Grid.Grains.Tests.Holders;

/// <summary>What a silo keeps of a known session's row, and what it costs. Alone, because the whole heap is weighed.</summary>
[Collection(nameof(TheHeap))]
public sealed class RememberedRowTests
{
    private const int Sessions = 20_000;

    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Tokens_of_the_living_branch_are_told_from_others()
    {
        var row = Kept(new RefreshChain(Hash("current"), Hash("previous"), Now));

        Assert.True(row.IsCurrent(Hash("current")));
        Assert.False(row.IsCurrent(Hash("previous")));
        Assert.True(row.IsLive(Hash("current"), null));
        Assert.True(row.IsLive(Hash("previous"), null));
        Assert.True(row.IsLive(Hash("child"), Hash("current")));
        Assert.True(row.IsLive(Hash("child"), Hash("previous")));
        Assert.False(row.IsLive(Hash("child"), null));
        Assert.False(row.IsLive(Hash("child"), Hash("older")));
    }

    [Fact]
    public void A_session_that_was_never_refreshed_has_one_token()
    {
        var row = Kept(new RefreshChain(Hash("current")));

        Assert.True(row.IsLive(Hash("current"), null));
        Assert.False(row.IsLive(Hash("other"), null));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"plan":"pro"}""")]
    [InlineData("""{"name":"Zoë","sign":"🙂"}""")]
    public void The_payload_is_kept_as_it_is(string payload)
    {
        var row = Kept(new RefreshChain(Hash("current")), payload);

        Assert.Equal(payload, row.PayloadJson);
        Assert.True(row.HasPayloadText(new string(payload.AsSpan())));
        Assert.False(row.HasPayloadText(payload + " "));
        Assert.False(row.HasPayloadText(payload.Replace('"', '\'') + "ë"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_token_is_minted_from_is_kept(bool useDynamicKey)
    {
        var row = RememberedRow.From(RememberedRow.Of(Row(new RefreshChain(Hash("current")), """{"a":1}""") with { UseDynamicKey = useDynamicKey }), "anna");

        var source = row.ToTokenSource(new SessionHandle(Id(1), "t"));

        Assert.Equal((new SessionHandle(Id(1), "t"), "anna", """{"a":1}""", useDynamicKey, Now), (source.Handle, source.UserId, source.PayloadJson, source.UseDynamicKey, source.CreatedAt));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_account_that_is_linked_to_the_user_is_kept_and_costs_the_others_nothing(bool useDynamicKey)
    {
        var row = Row(new RefreshChain(Hash("current"), Hash("previous"), Now), """{"a":"ü"}""") with { UseDynamicKey = useDynamicKey };
        var linked = RememberedRow.From(RememberedRow.Of(row with { RecipeUserId = "konto-ü" }), "anna");

        var source = linked.ToTokenSource(new SessionHandle(Id(1), "t"));

        Assert.Equal(("anna", "konto-ü", """{"a":"ü"}""", useDynamicKey, Now), (source.UserId, source.RecipeUserId, source.PayloadJson, source.UseDynamicKey, source.CreatedAt));
        Assert.True(linked.IsCurrent(Hash("current")) && linked.IsLive(Hash("previous"), null) && linked.HasPayloadText("""{"a":"ü"}"""));
        Assert.Null(RememberedRow.From(RememberedRow.Of(row), "anna").RecipeUserId);
        Assert.Equal(32 + sizeof(long) + Encoding.UTF8.GetByteCount(row.PayloadJson), ((byte[])RememberedRow.Of(row)).Length);
    }

    [Fact]
    public async Task A_silo_remembers_a_session_in_less_than_400_bytes()
    {
        // Today about 300. The least of three, because what the other silos of this process do is weighed as well.
        var bytes = double.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            bytes = Math.Min(bytes, await WeighAsync());
        }

        Assert.InRange(bytes, 0, 400);
    }

    private static TokenHash Hash(string token) => TokenHash.Of(token).HashOfHex();

    private static RememberedRow Kept(RefreshChain chain, string payload = "{}") => RememberedRow.From(RememberedRow.Of(Row(chain, payload)), "u");

    private static SessionRecord Row(RefreshChain chain, string payload = "{}", SessionKey key = default, string user = "u") => new()
    {
        Key = key,
        UserId = user,
        Chain = chain,
        PayloadJson = payload,
        DataJson = new string("{}".AsSpan()),
        UseDynamicKey = true,
        CreatedAt = Now,
        ExpiresAt = DateTimeOffset.MaxValue,
    };

    // Users with five sessions each and a UUID for a name, a payload of 60 bytes.
    private static async Task<double> WeighAsync()
    {
        var holder = new Holder(LeaseClock.Instance, int.MaxValue);
        holder.Begin(Guid.NewGuid(), new LeaseTerms(TimeSpan.FromHours(1)), []);
        holder.CompleteRenewal(holder.StartRenewal(), []);
        var look = new StoreLook(new Rows(), new OneApp(), new TrustedClock(TimeProvider.System, new ClockTrust(TimeProvider.System, LeaseClock.Instance)));
        var checks = new SessionChecks(holder, look, LeaseClock.Instance);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < Sessions; i++)
        {
            await checks.FindAsync(new SessionName("public", TenantKey.PublicId, Id(i)));
        }

        var after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.Equal(Sessions, holder.Count);
        return (after - before) / (double)Sessions;
    }

    private static Guid Id(int number) => new(number, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);

    private sealed class Rows : ISessionReader
    {
        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, CancellationToken cancellationToken)
        {
            var number = BitConverter.ToInt32(key.Handle.Id.ToByteArray());
            var current = TokenHash.Of(key.Handle.Id.ToByteArray());
            return new ValueTask<SessionRecord?>(Row(
                new RefreshChain(current, current.HashOfHex(), Now), $$"""{"roles":["{{new string('r', 46)}}"]}""", key, Id(number / 5).ToString()));
        }
    }

    private sealed class OneApp : IAppDirectory
    {
        private static readonly AppSnapshot App = new() { App = AppKey.Public, Settings = new AppDefaults().Settings, ApiKeyHashes = [], TenantIds = [TenantKey.PublicId] };

        public ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken) => new(App);

        public ValueTask<AddressedApp> FindAsync(string host, string appId, CancellationToken cancellationToken) => new(new AddressedApp("", App));

        public ValueTask<TenantRules> FindRulesAsync(TenantKey tenant, CancellationToken cancellationToken) => new(new TenantRules(null, null));
    }
}

/// <summary>Tests that weigh the heap run after the others.</summary>
[CollectionDefinition(nameof(TheHeap), DisableParallelization = true)]
public sealed class TheHeap;
