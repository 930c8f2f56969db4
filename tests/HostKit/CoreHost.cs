using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;
using Grid.Grains.Apps;
using Grid.Hosting;
using Grid.Hosting.Settings;
using Grid.Revocation.Holders;
using Grid.TestKit;
using Grid.WebFront.Admission;
using Grid.WebFront.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.HostKit;

/// <summary>The core API on a real socket, with real grains and a real SQLite store. Tests share it and make apps of their own.</summary>
public sealed class CoreHost : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("grid-core-").FullName;
    private SiloApplication? _silo;

    public HttpClient Http { get; private set; } = null!;

    public Uri Url { get; private set; } = null!;

    /// <summary>The front for browsers, in the same process.</summary>
    public Uri FrontUrl { get; private set; } = null!;

    public IReadOnlyList<Endpoint> Endpoints => [.. _silo!.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).Where(e => e.Metadata.GetMetadata<CoreRoute>() is not null)];

    /// <summary>Apps of which this process keeps a copy.</summary>
    public int RememberedApps => ((AppDirectory)_silo!.Services.GetRequiredService<IAppDirectory>()).Count;

    /// <summary>Where Orleans clients come in, <c>host:port</c>.</summary>
    public string Gateway => _silo!.Services.GetRequiredService<ILocalSiloDetails>().GatewayAddress.Endpoint.ToString();

    internal IServiceProvider Services => _silo!.Services;

    /// <summary>The installation's own settings.</summary>
    public AppDefaults Defaults { get; init; } = new();

    /// <summary>Settings besides this host's own.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();

    /// <summary>What Grid logged, from Information on.</summary>
    internal CapturedLog Log { get; } = new();

    internal SkippingTime Clock { get; } = new();

    internal SwitchableStore Store { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Grid:Store:SqlitePath"] = Path.Combine(_folder, "grid.db"),
            ["Grid:Keys:EncryptionKey"] = Convert.ToBase64String(new byte[32]),
            ["Grid:Core:Port"] = "0",
            ["Grid:Front:Port"] = "0",
            ["Grid:Front:ApiDomain"] = "http://localhost:8080",
            ["Grid:Front:WebsiteDomains"] = "http://localhost:3000",
            ["Grid:Front:ForwardClaims"] = "role",
            ["Grid:Front:FirstPage"] = "true",
            ["Grid:Shutdown:Drain"] = "00:00:00",
        }).AddInMemoryCollection(Settings).Build();
        _silo = SiloApplication.Build(new SiloPlan
        {
            Configuration = configuration,
            Settings = GridSettings.Read(configuration),
            OpensFront = true,
            OpensGateway = true,
            Environment = Environments.Development,
            Complete = builder =>
            {
                builder.Logging.ClearProviders();
                builder.Logging.AddProvider(Log);
                builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Clock));
                builder.Services.Replace(ServiceDescriptor.Singleton(Defaults));
                var real = builder.Services.Single(service => service.ServiceType == typeof(ISessionStore));
                builder.Services.Replace(ServiceDescriptor.Singleton<ISessionStore>(
                    provider => Store = new SwitchableStore((ISessionStore)ActivatorUtilities.CreateInstance(provider, real.ImplementationType!))));
            },
        });
        await _silo.StartAsync(CancellationToken.None);
        (Url, FrontUrl) = (_silo.Core!, _silo.Front!);
        Http = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) }) { BaseAddress = Url };
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Grains in memory of one type whose key starts so.</summary>
    public async Task<int> ActivationsAsync(string type, string keyPrefix)
    {
        var all = await _silo!.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
        return all.Count(grain => grain.GrainType.Contains(type, StringComparison.OrdinalIgnoreCase) && grain.GrainId.Key.ToString()!.StartsWith(keyPrefix, StringComparison.Ordinal));
    }

    /// <summary>Takes every place of these classes of requests, as that many requests in progress of the app <c>public</c> and its browsers would; until it is disposed of.</summary>
    internal TakenPlaces TakePlaces(params string[] classes) => TakePlaces([Asker.Front, Asker.Of(AppKey.Public)], classes);

    /// <summary>Takes every place of these classes that these get, one after the other.</summary>
    internal TakenPlaces TakePlaces(Asker[] askers, params string[] classes)
    {
        // An answer is read before its request gives its place back: then there would be one left.
        WaitUntilInside(0);
        var admission = Services.GetRequiredService<AdmissionControl>();
        var taken = new TakenPlaces();
        foreach (var kind in classes.Select(Enum.Parse<RequestClass>))
        {
            foreach (var from in askers)
            {
                for (var place = admission.Enter(kind, from); place.IsTaken; place = admission.Enter(kind, from))
                {
                    taken.Add(place);
                }
            }
        }

        return taken;
    }

    /// <summary>Waits until no more requests than these are in progress.</summary>
    internal void WaitUntilInside(int count)
    {
        var patience = TimeSpan.FromMinutes(2);
        Assert.True(SpinWait.SpinUntil(() => Inside() <= count, patience), $"{Inside()} requests are in progress for ever.");
    }

    /// <summary>Requests in progress.</summary>
    /// <param name="kind">Their class, as the metric names it; null for all.</param>
    internal int Inside(string? kind = null)
    {
        var meters = Services.GetRequiredService<IMeterFactory>();
        var sum = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "grid.requests.active" && ReferenceEquals(instrument.Meter.Scope, meters))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((_, inside, tags, _) =>
        {
            foreach (var (name, value) in tags)
            {
                sum += name == "grid.request.class" && (kind is null || kind.Equals(value)) ? inside : 0;
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return sum;
    }

    /// <summary>Sends JSON (or text, as it is) and reads the whole answer.</summary>
    public async Task<CoreAnswer> SendAsync(string method, string path, object? body = null, string? version = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (version is not null)
        {
            request.Headers.TryAddWithoutValidation("cdi-version", version);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        // The server refuses what is too large unread: asking first, we hear that before we write into a closed connection.
        request.Headers.ExpectContinue = body is string { Length: > 1024 * 1024 };
        if (body is not null)
        {
            request.Content = body is byte[] raw
                ? new ByteArrayContent(raw)
                : new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        }

        using var response = await Http.SendAsync(request);
        return new CoreAnswer((int)response.StatusCode, response.Content.Headers.ContentType?.ToString() ?? "", await response.Content.ReadAsStringAsync(), response.Headers);
    }

    public Task<CoreAnswer> PostAsync(string path, object body, string? version = null) => SendAsync("POST", path, body, version);

    /// <summary>An app that no other test uses; its path prefix.</summary>
    public async Task<string> CreateAppAsync(object? coreConfig = null)
    {
        var appId = Guid.NewGuid().ToString("D");
        var made = await SendAsync("PUT", "/recipe/multitenancy/app/v2", new { appId, coreConfig = coreConfig ?? new { } });
        Assert.Equal((200, """{"status":"OK","createdNew":true}"""), (made.Status, made.Text));
        return $"/appid-{appId}";
    }

    /// <summary>
    /// Waits until the silo has heard of every app that is there. A new app ends what may be left of a former one, and with its next renewal
    /// the silo forgets what it knew of the app, to look at it again.
    /// </summary>
    internal async Task HeardOfAppsAsync()
    {
        var holder = Services.GetRequiredService<Holder>();
        var now = Clock.GetTimestamp();
        for (var tries = 0; holder.Age is not { } age || age >= Clock.GetElapsedTime(now); tries++)
        {
            Assert.True(tries < 1200, "The silo does not renew.");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A session; <c>["session"]["handle"]</c>, <c>["accessToken"]["token"]</c>, …</summary>
    public async Task<JsonObject> CreateSessionAsync(string prefix = "", string userId = "u1", string? version = null, bool antiCsrf = false, object? payload = null)
    {
        var body = new { userId, enableAntiCsrf = antiCsrf, userDataInJWT = payload ?? new { a = 1 }, userDataInDatabase = new { } };
        var created = await PostAsync($"{prefix}/recipe/session", body, version);

        // The keys of a new app take a starved machine longer than a call between grains may take: 503 before anything is stored. A core behind
        // may take longer than there is patience for: 504.
        for (var tries = 0; tries < 60 && created.Status is (503 or 504); tries++)
        {
            await Task.Delay(500);
            created = await PostAsync($"{prefix}/recipe/session", body, version);
        }

        Assert.Equal("OK", created.Word);
        return created.Json;
    }

    public Task<CoreAnswer> VerifyAsync(
        string prefix, string accessToken, bool checkDatabase = false, string? version = null, bool enableAntiCsrf = false, string? antiCsrfToken = null) => PostAsync(
        $"{prefix}/recipe/session/verify",
        antiCsrfToken is null
            ? new { accessToken, enableAntiCsrf, doAntiCsrfCheck = enableAntiCsrf, checkDatabase }
            : new { accessToken, enableAntiCsrf, doAntiCsrfCheck = enableAntiCsrf, checkDatabase, antiCsrfToken },
        version);

    public Task<CoreAnswer> RefreshAsync(string prefix, string refreshToken, string? version = null, bool enableAntiCsrf = false, string? antiCsrfToken = null) => PostAsync(
        $"{prefix}/recipe/session/refresh",
        antiCsrfToken is null
            ? new { refreshToken, enableAntiCsrf, useDynamicSigningKey = true }
            : new { refreshToken, enableAntiCsrf, useDynamicSigningKey = true, antiCsrfToken },
        version);
}

internal sealed class TakenPlaces : List<AdmissionControl.Place>, IDisposable
{
    /// <summary>Gives one back.</summary>
    public void Free()
    {
        this[^1].Dispose();
        RemoveAt(Count - 1);
    }

    public void Dispose()
    {
        while (Count > 0)
        {
            Free();
        }
    }
}

/// <summary>An answer, whole.</summary>
public sealed record CoreAnswer(int Status, string ContentType, string Text, System.Net.Http.Headers.HttpResponseHeaders Headers)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    /// <summary>The status word.</summary>
    public string Word => Status == 200 && Text.StartsWith('{') ? Json["status"]!.GetValue<string>() : $"{Status} {Text}";
}
