namespace Grid.Abstractions.Apps;

/// <summary>This silo's view of which apps exist and how they are set. In memory; refreshed at most a second late.</summary>
public interface IAppDirectory
{
    /// <summary>The app, or null if there is none. A name that nobody made an app of costs no more than a look into the list of apps.</summary>
    ValueTask<AppSnapshot?> FindAsync(AppKey app, CancellationToken cancellationToken);

    /// <summary>The connection-URI domain that a request's host stands for: its name if such a domain was made, else empty.</summary>
    /// <param name="host">As the request has it: case and port do not count.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<string> FindDomainAsync(string host, CancellationToken cancellationToken);
}
