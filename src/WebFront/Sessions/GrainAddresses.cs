using Grid.Abstractions.Apps;
using Grid.Abstractions.Sessions;

namespace Grid.WebFront.Sessions;

/// <summary>Which grain is meant: keys are text to Orleans, and written here only.</summary>
internal static class GrainAddresses
{
    public static ISessionGrain SessionOf(this IGrainFactory grains, AppKey app, SessionHandle handle) => grains.GetGrain<ISessionGrain>(new SessionKey(app, handle).ToString());

    public static IUserGrain UserOf(this IGrainFactory grains, UserKey user) => grains.GetGrain<IUserGrain>(user.ToString());
}
