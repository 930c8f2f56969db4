using System.Globalization;
using System.Text;
using Grid.Bench.Http.Report;
using Grid.Bench.Scale;
using Grid.TestKit;

if (args is [MemoryRun.Verb, var store, var key, var sizes])
{
    await MemoryRun.ServeAsync(store, key, [.. sizes.Split(',').Select(size => int.Parse(size, CultureInfo.InvariantCulture))]);
    return 0;
}

ScaleSettings settings;
try
{
    settings = ScaleSettings.Parse(args);
}
catch (ArgumentException refusal)
{
    Console.Error.WriteLine($"{refusal.Message} bench/README.md lists the options.");
    return 2;
}

var page = new StringBuilder();
page.AppendLine("# Many sessions, many services").AppendLine();
page.AppendLine(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC. Command: `dotnet run -c Release --project bench/Scale -- {string.Join(' ', args)}`").AppendLine();
foreach (var fact in Machine.Facts())
{
    page.AppendLine(CultureInfo.InvariantCulture, $"- {fact}");
}

page.AppendLine().AppendLine("Load generator, silos and database share the machine; the database has PostgreSQL's default settings. Rows are written by `COPY` in the form of one that the product wrote, and some are then found through the API.").AppendLine();
if (settings.Smoke)
{
    page.AppendLine("A smoke run: it shows that everything works. Its figures mean nothing.").AppendLine();
}

await using var server = await PostgreSqlServer.TryStartAsync();
var folder = Directory.CreateTempSubdirectory("grid-bench-").FullName;
try
{
    await ScaleRun.RunAsync(page, server, folder, settings);
}
finally
{
    Directory.Delete(folder, recursive: true);
}

Console.Out.Write(page);
if (settings.Output is not null)
{
    await File.WriteAllTextAsync(settings.Output, page.ToString());
}

return 0;
