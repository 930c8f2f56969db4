using System.Diagnostics;
using System.Net;

namespace Grid.AspNetCore.Tests;

/// <summary>What README, docs and the first page print of C# is pasted into a new web project, as a reader would do it.</summary>
public sealed class SnippetTests
{
    [Fact]
    public async Task What_is_printed_compiles_in_a_new_project_with_no_using_of_ours()
    {
        var root = Root();
        var readme = await File.ReadAllTextAsync(Path.Combine(root, "README.md"), TestContext.Current.CancellationToken);
        var front = await File.ReadAllTextAsync(Path.Combine(root, "docs", "front.md"), TestContext.Current.CancellationToken);
        var page = await File.ReadAllTextAsync(Path.Combine(root, "src", "WebFront", "Front", "FirstPage", "first-page.html"), TestContext.Current.CancellationToken);
        var folder = Directory.CreateTempSubdirectory("grid-snippets-").FullName;
        try
        {
            await WriteAsync(folder, "app.csproj", $"""
                <Project Sdk="Microsoft.NET.Sdk.Web">
                  <PropertyGroup>
                    <TargetFramework>net10.0</TargetFramework>
                    <Nullable>enable</Nullable>
                    <ImplicitUsings>enable</ImplicitUsings>
                    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                  </PropertyGroup>
                  <ItemGroup>
                    <ProjectReference Include="{Path.Combine(root, "src", "AspNetCore", "AspNetCore.csproj")}" />
                  </ItemGroup>
                </Project>
                """);
            await WriteAsync(folder, "Program.cs", CSharp(readme));
            await WriteAsync(folder, "Docs.cs", Method("Docs", CSharp(front)));
            await WriteAsync(folder, "TwoApps.cs", Method("TwoApps", CSharp(front[front.IndexOf("## Two apps in one program", StringComparison.Ordinal)..])));
            await WriteAsync(folder, "Page.cs", Method("Page", $"""
                var builder = WebApplication.CreateBuilder(args);
                var app = builder.Build();
                {Between(page, "<code id=\"code-dotnet\">", "</code>")}
                """));

            var (code, output) = await BuildAsync(folder);

            Assert.True(code == 0, output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The first one: a whole program.
    private static string CSharp(string markdown) => Between(markdown, "```csharp\n", "\n```");

    private static string Between(string text, string start, string end)
    {
        var from = text.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return WebUtility.HtmlDecode(text[from..text.IndexOf(end, from, StringComparison.Ordinal)]);
    }

    private static string Method(string name, string statements) => $"static class {name}\n{{\n    public static void Run(string[] args)\n    {{\n{statements}\n    }}\n}}\n";

    private static Task WriteAsync(string folder, string name, string text) => File.WriteAllTextAsync(Path.Combine(folder, name), text);

    private static async Task<(int Code, string Output)> BuildAsync(string folder)
    {
        // What it refers to was built before the tests ran.
        using var build = Process.Start(new ProcessStartInfo("dotnet", ["build", "-c", "Release", "-v", "quiet", "--nologo", "-p:BuildProjectReferences=false", "-nodeReuse:false"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = await Task.WhenAll(build.StandardOutput.ReadToEndAsync(), build.StandardError.ReadToEndAsync()).WaitAsync(TimeSpan.FromMinutes(5));
        await build.WaitForExitAsync();
        return (build.ExitCode, string.Concat(output));
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Grid.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
