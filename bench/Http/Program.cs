using System.Globalization;
using Grid.Bench.Http;
using Grid.Bench.Http.Overload;
using Grid.Bench.Http.Report;
using Grid.Bench.Http.Servers;

if (args is [ConstantServer.Verb, var bytes])
{
    await ConstantServer.ServeAsync(int.Parse(bytes, CultureInfo.InvariantCulture));
    return 0;
}

RunSettings settings;
try
{
    settings = RunSettings.Parse(args);
}
catch (ArgumentException refusal)
{
    Console.Error.WriteLine($"{refusal.Message} bench/README.md lists the options.");
    return 2;
}

if (settings.Overload)
{
    var overload = await OverloadRun.RunAsync(settings);
    Console.Out.Write(overload);
    if (settings.Output is not null)
    {
        await File.WriteAllTextAsync(settings.Output, overload);
    }

    return 0;
}

var figures = new List<Figure>();
var leftOut = new List<string>();
await ConstantRun.RunAsync(settings, figures);
if (settings.Engines.Contains("PostgreSQL") && await EngineRun.PostgreSqlAsync(settings, figures) is { } missing)
{
    leftOut.Add(missing);
}

if (settings.Engines.Contains("SQLite"))
{
    await EngineRun.SqliteAsync(settings, figures);
}

var page = Markdown.Page(settings, figures, leftOut, $"dotnet run -c Release --project bench/Http -- {string.Join(' ', args)}".TrimEnd(' ', '-'));
Console.Out.Write(page);
if (settings.Output is not null)
{
    await File.WriteAllTextAsync(settings.Output, page);
}

return 0;
