using Grid.Revocation.Holders;

namespace Grid.Abstractions;

/// <summary>How a <see cref="SessionName"/> crosses silos. The revocation project knows nothing of Orleans.</summary>
[GenerateSerializer, Alias("grid.session-name")]
internal struct SessionNameSurrogate
{
    [Id(0)] public string App;
    [Id(1)] public string Tenant;
    [Id(2)] public Guid Id;
}

[RegisterConverter]
internal sealed class SessionNameConverter : IConverter<SessionName, SessionNameSurrogate>
{
    public SessionName ConvertFromSurrogate(in SessionNameSurrogate surrogate) => new(surrogate.App, surrogate.Tenant, surrogate.Id);

    public SessionNameSurrogate ConvertToSurrogate(in SessionName value) => new() { App = value.App, Tenant = value.Tenant, Id = value.Id };
}
