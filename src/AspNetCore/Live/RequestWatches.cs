using Grid.Revocation.Holders;

namespace Grid.AspNetCore.Live;

/// <summary>Releases the watches of a request, or of a connection by long polling, when its services are disposed of.</summary>
internal sealed class RequestWatches : IDisposable
{
    private readonly Lock _changing = new();
    private List<SessionWatch>? _watches = [];

    public void Add(SessionWatch watch)
    {
        lock (_changing)
        {
            if (_watches is { } watches)
            {
                watches.Add(watch);
                return;
            }
        }

        watch.Dispose();
    }

    public void Dispose()
    {
        List<SessionWatch>? watches;
        lock (_changing)
        {
            (watches, _watches) = (_watches, null);
        }

        watches?.ForEach(watch => watch.Dispose());
    }
}
