using System.Collections.Immutable;
using Grid.Abstractions.Apps;

namespace Grid.Grains.Apps;

/// <inheritdoc cref="IAppDirectory"/>
internal sealed class AppDirectory(IGrainFactory grains, TimeProvider clock) : IAppDirectory
{
    private readonly FreshCopies<AppKey, AppSnapshot> _apps = new(
        clock, async app => await grains.GetGrain<IAppGrain>(app.ToString()).FindAsync(CancellationToken.None));

    private readonly FreshCopies<int, ImmutableHashSet<string>> _domains = new(
        clock, async key => (await grains.GetGrain<ICatalogGrain>(key).ListAsync(CancellationToken.None))
            .Select(entry => entry.Domain).ToImmutableHashSet(StringComparer.OrdinalIgnoreCase));

    public ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken) => _apps.GetAsync(app);

    public async ValueTask<string> FindDomainAsync(string host, CancellationToken cancellationToken) =>
        (await _domains.GetAsync(0))!.TryGetValue(host, out var domain) ? domain : "";

    /// <summary>Drops the copy of an app, or (null) the list of domains.</summary>
    public void Forget(AppKey? app)
    {
        if (app is { } changed)
        {
            _apps.Forget(changed);
        }
        else
        {
            _domains.Forget(0);
        }
    }
}
