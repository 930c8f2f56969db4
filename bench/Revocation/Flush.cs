using System.Diagnostics;

namespace Grid.Bench.Revocation;

/// <summary>What a commit waits for at least: 4 KB flushed to the disk of the databases.</summary>
internal sealed class Flush : IDisposable
{
    private readonly byte[] _block = new byte[4096];
    private readonly FileStream _file = new(
        Path.GetTempFileName(), FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);

    public long Measure()
    {
        var began = Stopwatch.GetTimestamp();
        _file.Write(_block);
        _file.Flush(flushToDisk: true);
        return Stopwatch.GetTimestamp() - began;
    }

    public void Dispose() => _file.Dispose();
}
