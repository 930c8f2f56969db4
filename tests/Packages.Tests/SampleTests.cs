using System.Text.RegularExpressions;

namespace Grid.Packages.Tests;

/// <summary>Samples that need no browser: started by the line that their README prints, used as it says.</summary>
public sealed partial class SampleTests(Workplace work)
{
    // A sample keeps its data from run to run.
    private readonly string _name = $"user-{Guid.NewGuid():N}";

    [Fact]
    public async Task Embedded_keeps_and_ends_sessions_in_its_own_process()
    {
        var commands = Blocks().Matches(await File.ReadAllTextAsync(Path.Combine(Workplace.Repository, "samples", "embedded", "README.md"))).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal("dotnet run --project samples/embedded\n", commands[0]);

        // It was built before the tests ran.
        var folder = Directory.CreateDirectory(Path.Combine(work.Folder, "sample")).FullName;
        var start = work.Start("dotnet", ["run", "--project", Path.Combine(Workplace.Repository, "samples", "embedded"), "-c", "Release", "--no-build"], folder, core: null);
        start.Environment["URL"] = "http://127.0.0.1:0";
        using var sample = await RunningProgram.StartAsync(start);

        var output = await work.ShellAsync(
            commands[1].Replace("http://localhost:3001", sample.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal).Replace("curl ", "curl -sS -w ' %{http_code}\\n' ", StringComparison.Ordinal),
            folder);

        Assert.Matches("^ 200\n 200\nalice 200\n2 sessions have ended\n 200\n[^\n]* 401\n$", output);
    }

    [Fact]
    public async Task Minimal_api_has_claims_lists_and_sign_outs_over_a_Grid_beside_it()
    {
        var commands = Blocks().Matches(await File.ReadAllTextAsync(Path.Combine(Workplace.Repository, "samples", "minimal-api", "README.md"))).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal("dotnet run --project samples/minimal-api\n", commands[0]);
        var folder = Directory.CreateDirectory(Path.Combine(work.Folder, "minimal-api")).FullName;
        var start = work.Start("dotnet", ["run", "--project", Path.Combine(Workplace.Repository, "samples", "minimal-api"), "-c", "Release", "--no-build"], folder, work.Core);
        start.Environment["URL"] = "http://127.0.0.1:0";
        using var sample = await RunningProgram.StartAsync(start);

        var output = await work.ShellAsync(
            commands[1].Replace("http://localhost:3001", sample.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal).Replace("curl ", "curl -sS -w ' %{http_code}\\n' ", StringComparison.Ordinal)
                .Replace("alice", _name, StringComparison.Ordinal),
            folder);

        Assert.Matches(
            $"^ 200\n 200\ngold 200\n[^\n]*invalid claim[^\n]* 403\n 200\norders of {_name} 200\n2 200\n1 sessions have ended 200\n[^\n]* 401\n 200\n[^\n]* 401\n$", output);
    }

    [Fact]
    public async Task Razor_pages_list_the_sessions_of_a_user_and_sign_out_everywhere_else()
    {
        var commands = Blocks().Matches(await File.ReadAllTextAsync(Path.Combine(Workplace.Repository, "samples", "razor-pages", "README.md"))).Select(match => match.Groups[1].Value);
        Assert.Equal(["dotnet run --project samples/razor-pages\n"], commands);
        var folder = Directory.CreateDirectory(Path.Combine(work.Folder, "razor-pages")).FullName;
        var start = work.Start("dotnet", ["run", "--project", Path.Combine(Workplace.Repository, "samples", "razor-pages"), "-c", "Release", "--no-build"], folder, core: null);
        start.Environment["URL"] = "http://127.0.0.1:0";
        using var sample = await RunningProgram.StartAsync(start);
        using var laptop = new HttpClient { BaseAddress = sample.Url };
        using var phone = new HttpClient { BaseAddress = sample.Url };
        Assert.Contains($"{_name} has 1 sessions", await PressAsync(laptop, await laptop.GetStringAsync("/"), "/SignIn?ReturnUrl=%2F"), StringComparison.Ordinal);
        await PressAsync(phone, await phone.GetStringAsync("/"), "/SignIn");
        var page = await laptop.GetStringAsync("/");
        Assert.Contains($"{_name} has 2 sessions", page, StringComparison.Ordinal);

        page = await PressAsync(laptop, page, "/?handler=Elsewhere");

        Assert.Contains($"{_name} has 1 sessions", page, StringComparison.Ordinal);
        Assert.Contains("(this browser)", page, StringComparison.Ordinal);
        Assert.Contains("Who are you?", await phone.GetStringAsync("/"), StringComparison.Ordinal);
        Assert.Contains("Who are you?", await PressAsync(laptop, page, "/?handler=SignOut"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Razor_pages_with_identity_list_sessions_and_sign_out_elsewhere_and_a_new_password_ends_the_other_browser()
    {
        var commands = Blocks().Matches(await File.ReadAllTextAsync(Path.Combine(Workplace.Repository, "samples", "razor-pages-identity", "README.md"))).Select(match => match.Groups[1].Value);
        Assert.Equal(["dotnet run --project samples/razor-pages-identity\n"], commands);
        var folder = Directory.CreateDirectory(Path.Combine(work.Folder, "razor-pages-identity")).FullName;
        var start = work.Start("dotnet", ["run", "--project", Path.Combine(Workplace.Repository, "samples", "razor-pages-identity"), "-c", "Release", "--no-build"], folder, work.Core);
        start.Environment["URL"] = "http://127.0.0.1:0";
        using var sample = await RunningProgram.StartAsync(start);
        using var laptop = new HttpClient { BaseAddress = sample.Url };
        using var phone = new HttpClient { BaseAddress = sample.Url };
        Assert.Contains($"{_name} has 1 sessions", await PressAsync(laptop, await laptop.GetStringAsync("/"), "/SignIn?handler=Register&ReturnUrl=%2F"), StringComparison.Ordinal);
        await PressAsync(phone, await phone.GetStringAsync("/"), "/SignIn");
        var page = await laptop.GetStringAsync("/");
        Assert.Contains($"{_name} has 2 sessions", page, StringComparison.Ordinal);

        page = await PressAsync(laptop, page, "/?handler=Elsewhere");

        Assert.Contains($"{_name} has 1 sessions", page, StringComparison.Ordinal);
        Assert.Contains("(this browser)", page, StringComparison.Ordinal);
        var former = await phone.GetStringAsync("/");
        Assert.Contains("Who are you?", former, StringComparison.Ordinal);

        Assert.Contains($"{_name} has 2 sessions", await PressAsync(phone, former, "/SignIn"), StringComparison.Ordinal);
        page = await PressAsync(laptop, page, "/?handler=Password");

        Assert.Contains($"{_name} has 1 sessions", page, StringComparison.Ordinal);
        Assert.Contains("Who are you?", await phone.GetStringAsync("/"), StringComparison.Ordinal);
        Assert.Contains("Who are you?", await PressAsync(laptop, page, "/?handler=SignOut"), StringComparison.Ordinal);
    }

    // The rest is for a browser: tests/Browser/suites.
    [Theory]
    [InlineData("blazor-server", "/", "Who are you?", "/_framework/blazor.web.js")]
    [InlineData("signalr-chat", "/", "Who are you?", "/auth/session/events.js")]
    public async Task Pages_that_stay_connected_are_there_by_one_line(string sampleName, string page, string says, string script)
    {
        var commands = Blocks().Matches(await File.ReadAllTextAsync(Path.Combine(Workplace.Repository, "samples", sampleName, "README.md"))).Select(match => match.Groups[1].Value);
        Assert.Equal($"dotnet run --project samples/{sampleName}\n", commands.First());
        var start = work.Start("dotnet", ["run", "--project", Path.Combine(Workplace.Repository, "samples", sampleName), "-c", "Release", "--no-build"], work.Folder, work.Core);
        start.Environment["URL"] = "http://127.0.0.1:0";
        using var sample = await RunningProgram.StartAsync(start);
        using var browser = new HttpClient { BaseAddress = sample.Url };

        Assert.Contains(says, await browser.GetStringAsync(page), StringComparison.Ordinal);
        Assert.NotEmpty(await browser.GetStringAsync(script));
    }

    // A form's button: with the token that the page carries against other sites' forms, and what one of them asks for.
    private async Task<string> PressAsync(HttpClient browser, string page, string form)
    {
        var token = AntiforgeryToken().Match(page).Groups[1].Value;
        using var fields = new FormUrlEncodedContent([KeyValuePair.Create("name", _name), KeyValuePair.Create("password", "former"), KeyValuePair.Create("current", "former"), KeyValuePair.Create("wanted", "another"), KeyValuePair.Create("__RequestVerificationToken", token)]);
        using var answer = await browser.PostAsync(form, fields);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]* value=\"([^\"]+)\"")]
    private static partial Regex AntiforgeryToken();

    [GeneratedRegex("(?s)```bash\n(.*?)```")]
    private static partial Regex Blocks();
}
