using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Grid.Grains.Sessions;

/// <summary>When grains that nobody calls give their memory back: sooner than Orleans' quarter of an hour.</summary>
/// <remarks>
/// A session is refreshed an hour apart, and what its grain remembers only saves a read when tabs ask at the same time; a user's grain remembers
/// nothing. At a hundred refreshes a second a quarter of an hour is 90,000 grains of 3 KB.
/// </remarks>
internal sealed class IdleGrains : IPostConfigureOptions<GrainCollectionOptions>
{
    public static readonly TimeSpan Age = TimeSpan.FromMinutes(2);

    public void PostConfigure(string? name, GrainCollectionOptions options)
    {
        // Orleans refuses an age that is no longer than the time between two collections, which an application around a silo may have set.
        var age = Age > options.CollectionQuantum ? Age : options.CollectionQuantum * 2;
        options.ClassSpecificCollectionAge.TryAdd(typeof(SessionGrain).FullName!, age);
        options.ClassSpecificCollectionAge.TryAdd(typeof(UserGrain).FullName!, age);
    }
}
