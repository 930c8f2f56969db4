namespace Grid.Abstractions.Apps;

/// <summary>This silo's view of which apps exist and how they are set. In memory; refreshed at most a second late.</summary>
public interface IAppDirectory
{
    /// <summary>The app, or null if there is none. A name that nobody made an app of costs no more than a look into the list of apps.</summary>
    ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken);

    /// <summary>The connection-URI domain that a request's host name stands for: the host if such a domain was made, else empty.</summary>
    ValueTask<string> FindDomainAsync(string host, CancellationToken cancellationToken);
}
