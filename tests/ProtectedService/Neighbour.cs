namespace Grid.ProtectedService;

/// <summary>Another service of the host, which has something to put away at the end.</summary>
internal sealed class Neighbour : IDisposable
{
    public void Dispose() => Console.WriteLine("the neighbour is disposed");
}
