using System.Collections.Immutable;
using System.Net;
using System.Reflection;
using Grid.Abstractions.Apps;
using Grid.GrainDoors;
using Grid.Grains.Silos;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Serialization.Invocation;

namespace Grid.Grains.Tests.Silos;

/// <summary>Who a silo takes calls from, while it knows of its peers and while it does not know of them yet.</summary>
public sealed class RefuseClientsTests
{
    private static readonly SiloAddress Own = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress Newcomer = SiloAddress.New(IPAddress.Loopback, 2, 2);

    private readonly Membership _membership = new();

    [Fact]
    public async Task A_silo_that_has_just_joined_is_looked_for_before_it_is_refused_and_known_from_then_on()
    {
        var filter = Filter();
        _membership.JoinsAtRefresh = Newcomer;

        Assert.True(await IsLetInAsync(filter, Silo(Newcomer)));
        Assert.True(await IsLetInAsync(filter, Silo(Newcomer)));
        Assert.Equal(1, _membership.Refreshes);
    }

    [Fact]
    public async Task Own_calls_and_calls_of_grains_and_of_doors_need_no_look()
    {
        var filter = Filter();

        Assert.True(await IsLetInAsync(filter, Silo(Own)));
        Assert.True(await IsLetInAsync(filter, GrainId.Create("session", "hosted-nobody")));
        Assert.True(await IsLetInAsync(filter, GrainId.Create("sys.client", "stranger"), typeof(ISessionDoor).GetMethod(nameof(ISessionDoor.CreateAsync))));
        Assert.Equal(0, _membership.Refreshes);
    }

    [Theory]
    [InlineData("stranger", 0)]
    [InlineData("hosted-", 2)]
    [InlineData("hosted-127.0.0.1:3@4", 2)]
    public async Task A_stranger_is_refused_and_costs_two_reads_at_most(string name, int reads)
    {
        Assert.False(await IsLetInAsync(Filter(), GrainId.Create("sys.client", name)));
        Assert.Equal(reads, _membership.Refreshes);
    }

    [Fact]
    public async Task Strangers_who_come_while_the_table_is_being_read_share_that_read()
    {
        var filter = Filter();
        _membership.Gate = new TaskCompletionSource();
        var calls = Enumerable.Range(0, 50).Select(i => IsLetInAsync(filter, GrainId.Create("sys.client", $"hosted-{i}"))).ToArray();
        Assert.Equal(1, _membership.Refreshes);
        _membership.Gate.SetResult();

        Assert.All(await Task.WhenAll(calls), Assert.False);
    }

    [Fact]
    public async Task While_the_table_cannot_be_read_who_is_not_known_is_refused()
    {
        _membership.Failure = new TimeoutException();

        Assert.False(await IsLetInAsync(Filter(), Silo(Newcomer)));
    }

    private static GrainId Silo(SiloAddress address) => GrainId.Create("sys.client", $"hosted-{address.ToParsableString()}");

    private static async Task<bool> IsLetInAsync(RefuseClients filter, GrainId source, MethodInfo? method = null)
    {
        var call = new Call { SourceId = source, InterfaceMethod = method ?? typeof(IAppGrain).GetMethod(nameof(IAppGrain.ListTenantsAsync))! };
        try
        {
            await filter.Invoke(call);
        }
        catch (UnauthorizedAccessException)
        {
            Assert.False(call.WasInvoked);
        }

        return call.WasInvoked;
    }

    private RefuseClients Filter() => new(new Details(), _membership, NullLogger<RefuseClients>.Instance);

    private sealed class Membership : IClusterMembershipService
    {
        public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } = new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, new MembershipVersion(1));

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public SiloAddress? JoinsAtRefresh { get; set; }

        public TaskCompletionSource? Gate { get; set; }

        public Exception? Failure { get; set; }

        public int Refreshes { get; private set; }

        public async ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default)
        {
            Refreshes++;
            if (Failure is not null)
            {
                throw Failure;
            }

            await (Gate?.Task ?? Task.CompletedTask);
            if (JoinsAtRefresh is { } silo)
            {
                CurrentSnapshot = new(CurrentSnapshot.Members.SetItem(silo, new ClusterMember(silo, SiloStatus.Active, "")), new MembershipVersion(2));
            }
        }

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }

    private sealed class Details : ILocalSiloDetails
    {
        public string Name => "";

        public string ClusterId => "";

        public string DnsHostName => "";

        public SiloAddress SiloAddress => Own;

        public SiloAddress GatewayAddress => Own;
    }

    private sealed class Call : IIncomingGrainCallContext
    {
        public bool WasInvoked { get; private set; }

        public required GrainId? SourceId { get; init; }

        public required MethodInfo InterfaceMethod { get; init; }

        public string InterfaceName => InterfaceMethod.DeclaringType!.Name;

        public IInvokable Request => throw new NotSupportedException();

        public object Grain => this;

        public MethodInfo ImplementationMethod => InterfaceMethod;

        public IGrainContext TargetContext => throw new NotSupportedException();

        public GrainId TargetId => default;

        public GrainInterfaceType InterfaceType => default;

        public string MethodName => InterfaceMethod.Name;

        public object? Result { get; set; }

        public Response? Response { get; set; }

        public Task Invoke()
        {
            WasInvoked = true;
            return Task.CompletedTask;
        }
    }
}
