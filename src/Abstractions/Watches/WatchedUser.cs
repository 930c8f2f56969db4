using Grid.Abstractions.Apps;

namespace Grid.Abstractions.Watches;

/// <summary>A user whose sessions are watched, in all tenants of an app: whoever watches one tenant leaves the others' events out.</summary>
[GenerateSerializer, Immutable, Alias("grid.watched-user")]
public readonly record struct WatchedUser([property: Id(0)] AppKey App, [property: Id(1)] string UserId);
