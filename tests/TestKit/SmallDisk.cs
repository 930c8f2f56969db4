using System.Diagnostics;

namespace Grid.TestKit;

/// <summary>A file system of its own, in memory, small enough to be filled to the last byte; gone when disposed.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string folder) => Folder = folder;

    /// <summary>Why there is none, if <see cref="TryMountAsync"/> returned null.</summary>
    public static string Missing => "this machine lets nobody mount a file system here";

    public string Folder { get; }

    private string Filling => Path.Combine(Folder, "filling");

    /// <summary>Makes one; null where that is not allowed (see <see cref="Missing"/>).</summary>
    public static async Task<SmallDisk?> TryMountAsync(int megabytes)
    {
        var folder = Directory.CreateTempSubdirectory("grid-disk-").FullName;
        if (Environment.UserName == "root" && await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", folder) == 0)
        {
            return new SmallDisk(folder);
        }

        Directory.Delete(folder);
        return null;
    }

    /// <summary>Takes all that is free.</summary>
    public async Task FillAsync()
    {
        await using var file = new FileStream(Filling, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        for (var piece = new byte[64 * 1024]; piece.Length > 0;)
        {
            try
            {
                await file.WriteAsync(piece);
            }
            catch (IOException)
            {
                // No space left for this much.
                piece = new byte[piece.Length / 2];
            }
        }
    }

    /// <summary>Gives back what <see cref="FillAsync"/> took.</summary>
    public void Free() => File.Delete(Filling);

    public async ValueTask DisposeAsync()
    {
        // Lazily: a process that is about to end may hold a file for a moment.
        await RunAsync("umount", "--lazy", Folder);
        Directory.Delete(Folder);
    }

    private static async Task<int> RunAsync(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true })!;
        await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
