using System.Text.RegularExpressions;

namespace Grid.Packages.Tests;

/// <summary>Follows <c>docs/dotnet.md</c> to the letter, with nothing but the packages.</summary>
public sealed partial class DotnetDocumentTests(Workplace work)
{
    // One after the other: they share a project.
    [Fact]
    public async Task A_new_web_project_is_protected_by_what_is_printed_and_can_do_what_is_printed_by_task()
    {
        using (var shop = await StartShopAsync(Document.Program("// where browsers find this program")))
        {
            var output = await work.ShellAsync(Curl(Document.Commands("curl -i"), shop), work.Shop);

            Assert.Equal(["401", "200", "200", "401"], Statuses().Matches(output).Select(match => match.Groups[1].Value));
            Assert.Matches("""(?s)sAccessToken=.*\nalice.*"sessionHandlesRevoked":\["[^"]+"\]""", output);
        }

        using var whole = await StartShopAsync(Document.WholeProgram());
        var steps = await work.ShellAsync(Curl("""
            app=http://localhost:3001
            post() { curl -sS -X POST -H 'st-auth-mode: cookie' -w ' %{http_code}\n' "$@"; }
            get() { curl -sS -w ' %{http_code}\n' "$@"; }
            post -c here $app/sign-in-gold
            post -c there $app/sign-in
            get -b here $app/orders
            post -b here -c here $app/verify-email
            get -b here $app/orders
            get -b here $app/sessions
            post -b here $app/sign-out-elsewhere
            get -b there $app/me
            get -b here $app/me
            get -b here $app/admin
            post -c admin $app/sign-in-admin
            get -b admin $app/admin
            post $app/change-address
            post -b admin $app/change-address
            post -b here $app/sign-out
            get -b here $app/me
            """, whole), work.Shop);

        Assert.Matches(
            """
            (?s)^ 200
             200
            [^\n]*email-verified[^\n]* 403
             200
            plan: [^\n]*gold[^\n]* 200
            \[\{"handle":[^\n]*"createdAt":[^\n]*\},\{[^\n]*\}\] 200
            \{"ended":1\} 200
            [^\n]* 401
            alice 200
            [^\n]* 403
             200
            Hello, Alice 200
            [^\n]* 401
            changed by alice 200
             200
            [^\n]* 401
            $
            """, steps);
    }

    [Fact]
    public async Task An_application_with_cookies_signs_out_elsewhere_and_sends_to_its_login_page_whom_Grid_has_signed_out()
    {
        using var shop = await StartShopAsync(Document.Program("AddGridTicketStore"));

        // Other tests leave sessions of alice behind, and run before or after this one as it comes.
        var steps = await work.ShellAsync(Curl("""
            app=http://localhost:3001
            curl -o answer http://127.0.0.1:3567/recipe/session/remove -d '{"userId":"alice"}'
            get() { curl -sS -w ' %{http_code} %{redirect_url}\n' "$@"; }
            get $app/
            get -X POST -c here $app/login
            get -X POST -c there $app/login
            get -b here $app/
            get -b there $app/
            get -X POST -b here $app/logout-elsewhere
            get -b there $app/
            get -b here $app/
            curl -o answer http://127.0.0.1:3567/recipe/session/remove -d '{"userId":"alice"}'
            get -b here $app/
            """, shop), work.Shop);

        var login = Regex.Escape($"{shop.Url.GetLeftPart(UriPartial.Authority)}/login?ReturnUrl=%2F");
        Assert.Matches($$"""
            ^ 302 {{login}}
             200{{" "}}
             200{{" "}}
            Hello, Alice 200{{" "}}
            Hello, Alice 200{{" "}}
            \{"ended":1\} 200{{" "}}
             302 {{login}}
            Hello, Alice 200{{" "}}
             302 {{login}}
            $
            """, steps);
    }

    [Fact]
    public async Task A_worker_with_the_client_alone_ends_sessions()
    {
        await work.ShellAsync(Document.Commands("dotnet new worker"));
        var folder = Path.Combine(work.Folder, "night-shift");
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), Document.Program("AddGridClient"));

        var alive = $"curl -sS '{work.Core}recipe/session/user?userId=alice'";
        await work.ShellAsync($"curl -sS '{work.Core}recipe/session' -d " + """'{"userId":"alice","enableAntiCsrf":false,"userDataInJWT":{},"userDataInDatabase":{}}'""");
        Assert.Matches("""\["[^"]+""", await work.ShellAsync(alive));

        Assert.Matches("\n[1-9][0-9]* sessions of alice have ended.\n$", await work.ShellAsync("dotnet run", folder));

        Assert.Contains("\"sessionHandles\":[]", await work.ShellAsync(alive), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder, "Grid.AspNetCore.dll", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_silo_inside_the_application_needs_no_other_program()
    {
        await work.ShellAsync(Document.Commands("dotnet new web -o kiosk"));
        using var kiosk = await StartAsync(Document.Program("AddGridSilo"), Path.Combine(work.Folder, "kiosk"), core: null);

        var steps = await work.ShellAsync(Curl("""
            app=http://localhost:3001
            curl -w ' %{http_code}\n' -X POST -H 'st-auth-mode: cookie' -c cookies $app/sign-in
            curl -w ' %{http_code}\n' -b cookies $app/me
            curl -w ' %{http_code}\n' -X POST -b cookies $app/sign-out
            curl -w ' %{http_code}\n' -b cookies $app/me
            """, kiosk), Path.Combine(work.Folder, "kiosk"));

        Assert.Matches("^ 200\nalice 200\n 200\n[^\n]* 401\n$", steps);
        Assert.True(File.Exists(Path.Combine(work.Folder, "kiosk", "data", "grid.db")));
    }

    [Fact]
    public async Task Tests_of_an_application_need_one_package_and_what_is_printed()
    {
        // An application of its own, so that it is built once, and a program in the place of a test framework.
        await work.ShellAsync("""
            dotnet new web -o tested
            dotnet new console -o tests
            cp shop/nuget.config tested
            cp shop/nuget.config tests
            dotnet add tested package GridSessions.AspNetCore
            dotnet add tests package GridSessions.Testing
            dotnet add tests reference tested
            """);
        var program = Document.Program("// where browsers find this program").Replace("app.Run(", """app.MapGet("/who", () => "open"); app.Run(""", StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(work.Folder, "tested", "Program.cs"), program);
        await File.WriteAllTextAsync(Path.Combine(work.Folder, "tests", "Program.cs"), $$"""
            using System.Net;
            using System.Security.Claims;
            using Grid.Testing;
            using Microsoft.AspNetCore.Mvc.Testing;

            internal static class Tests
            {
                public static async Task Main()
                {
                    {
            {{Document.Program("WithGridSessions()")}}
                    }

                    {
            {{Document.Program("GridTestHost.StartAsync()")}}
                        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/who")).StatusCode);
                        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/me")).StatusCode);
                        await grid.Sessions.RevokeUserAsync("alice", null, null, CancellationToken.None);
                        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/me")).StatusCode);
                    }

                    Console.WriteLine("all passed");
                }
            }

            internal static class Assert
            {
                public static void Equal<T>(T expected, T actual)
                {
                    if (!Equals(expected, actual))
                    {
                        throw new InvalidOperationException($"{expected} expected, {actual} found.");
                    }
                }
            }
            """);

        // As test runners do: a WebApplicationFactory looks for its manifest in the current folder.
        var output = await work.ShellAsync("""
            dotnet build tests
            cd tests/bin/Debug/net10.0
            dotnet tests.dll
            """);
        Assert.Contains("all passed", output, StringComparison.Ordinal);
    }

    // The core's first: the shop's own port may begin with these digits.
    private string Curl(string commands, RunningProgram shop) => commands
        .Replace("http://127.0.0.1:3567", work.Core.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
        .Replace("http://localhost:3001", shop.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
        .Replace("curl ", "curl -sS ", StringComparison.Ordinal);

    private Task<RunningProgram> StartShopAsync(string program) => StartAsync(program, work.Shop, work.Core);

    private async Task<RunningProgram> StartAsync(string program, string folder, Uri? core)
    {
        const string printed = """app.Run("http://localhost:3001")""";
        Assert.Contains(printed, program, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), program.Replace(printed, """app.Run("http://127.0.0.1:0")""", StringComparison.Ordinal));
        return await RunningProgram.StartAsync(work.Start("dotnet", ["run"], folder, core));
    }

    [GeneratedRegex(@"HTTP/1\.1 (\d{3})")]
    private static partial Regex Statuses();
}
