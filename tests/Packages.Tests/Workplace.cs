using System.Diagnostics;
using Grid.TestKit;

namespace Grid.Packages.Tests;

/// <summary>A folder outside the repository, with the feed and the web project that <c>docs/dotnet.md</c> tells to make, and a Grid that runs.</summary>
public sealed class Workplace : IAsyncLifetime
{
    private GridProcess? _grid;

    /// <summary>The sources that these tests were built from.</summary>
    public static string Repository { get; } = FindRepository();

    public string Folder { get; } = Directory.CreateTempSubdirectory("grid-packages-").FullName;

    public string Feed => Path.Combine(Folder, "feed");

    public string Shop => Path.Combine(Folder, "shop");

    /// <summary>The core API of the Grid that runs.</summary>
    public Uri Core => _grid!.Http.BaseAddress!;

    public async ValueTask InitializeAsync()
    {
        // What is packed was built before the tests ran.
        const string printed = "dotnet pack grid/Grid.sln -c Release -o feed\n";
        var commands = Document.Commands("dotnet pack");
        Assert.Contains(printed, commands, StringComparison.Ordinal);
        await ShellAsync(commands.Replace(
            printed, $"dotnet pack '{Path.Combine(Repository, "Grid.sln")}' -c Release -o feed --no-build -v quiet\n", StringComparison.Ordinal));
        _grid = await GridProcess.ServeAsync(Directory.CreateDirectory(Path.Combine(Folder, "grid-data")).FullName);
    }

    public ValueTask DisposeAsync()
    {
        _grid?.Dispose();
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs commands as one types them, to their end.</summary>
    /// <param name="commands">What stands in the document; it starts in <see cref="Folder"/> unless it is told where.</param>
    /// <param name="folder">Where.</param>
    public async Task<string> ShellAsync(string commands, string? folder = null)
    {
        using var bash = Process.Start(Start("bash", ["-e", "-c", commands], folder ?? Folder, _grid?.Http.BaseAddress))!;
        var errors = bash.StandardError.ReadToEndAsync();
        var output = await bash.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(5)) + await errors;
        await bash.WaitForExitAsync();
        Assert.True(bash.ExitCode == 0, output);
        return output;
    }

    /// <summary>How a command is started here.</summary>
    /// <param name="command">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Where.</param>
    /// <param name="core">The Grid that it finds by the connection string; none if it is null.</param>
    public ProcessStartInfo Start(string command, string[] arguments, string folder, Uri? core)
    {
        var start = new ProcessStartInfo(command, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };

        // A cache of its own: NuGet would take packages of this version that were restored from another build. The rest it may take from the machine's.
        var cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        start.Environment["NUGET_PACKAGES"] = Path.Combine(Folder, "cache");
        if (Directory.Exists(cache) && Directory.GetDirectories(cache, "gridsessions.*").Length == 0)
        {
            start.Environment["NUGET_FALLBACK_PACKAGES"] = cache;
        }

        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        if (core is not null)
        {
            start.Environment["ConnectionStrings__Grid"] = core.ToString();
        }

        return start;
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Grid.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return folder.FullName;
    }
}
