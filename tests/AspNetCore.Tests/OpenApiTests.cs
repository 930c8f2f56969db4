using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Grid.AspNetCore.Tests;

/// <summary>The lines of <c>docs/front.md</c> that describe a session to readers of an OpenAPI document.</summary>
public sealed class OpenApiTests(CoreHost core)
{
    [Fact]
    public async Task The_document_says_which_endpoints_need_a_session_and_how_it_is_sent()
    {
        await using var app = await ClientApp.StartAsync(core, services: AddOpenApi, use: app =>
        {
            app.MapGrid();
            app.MapOpenApi();
            app.MapGet("/bound", (GridSession session) => session.UserId);
            app.MapGet("/optional", (GridSession? session) => session?.UserId);
            app.MapGet("/claims", () => "in").RequireGridClaims(ClientApp.EmailVerified.IsTrue());
            app.MapGet("/fresh", () => "in").RequireAuthenticatedWithin(TimeSpan.FromMinutes(1));
            app.MapGroup("/group").RequireAuthorization().MapGet("/anonymous", () => "in").AllowAnonymous();
        });
        using var browser = app.NewBrowser();

        var document = (await browser.GetAsync("/openapi/v1.json")).Json;

        var schemes = document["components"]!["securitySchemes"]!;
        Assert.Equal(("apiKey", "cookie", "sAccessToken"), ((string?)schemes["GridCookie"]!["type"], (string?)schemes["GridCookie"]!["in"], (string?)schemes["GridCookie"]!["name"]));
        Assert.Equal(("http", "bearer"), ((string?)schemes["GridHeader"]!["type"], (string?)schemes["GridHeader"]!["scheme"]));
        foreach (var (path, isProtected) in new[] { ("/bound", true), ("/optional", false), ("/claims", true), ("/fresh", true), ("/group/anonymous", false), ("/me", true), ("/open", false) })
        {
            var operation = document["paths"]![path]!["get"]!;
            Assert.Equal((path, isProtected ? """[{"GridCookie":[]},{"GridHeader":[]}]""" : null), (path, operation["security"]?.ToJsonString()));

            // The session comes from no parameter that a caller could send.
            Assert.Null(operation["parameters"]);
            Assert.Null(operation["requestBody"]);
        }
    }

    [Fact]
    public void What_is_printed_is_what_is_tested()
    {
        var printed = File.ReadAllText(Path.Combine(Root(), "docs", "front.md"));
        var tested = Lines(File.ReadAllText(Path.Combine(Root(), "tests", "AspNetCore.Tests", "OpenApiTests.cs")), "services.AddOpenApi(api =>", "});\n    }");

        Assert.Equal(tested, Lines(printed, "builder.Services.AddOpenApi(api =>", "});\n```"));

        static string[] Lines(string text, string start, string end)
        {
            var from = text.LastIndexOf(start, StringComparison.Ordinal);
            return [.. text[from..text.IndexOf(end, from, StringComparison.Ordinal)].Replace("builder.Services", "services", StringComparison.Ordinal).Split('\n').Select(line => line.Trim())];
        }
    }

    private static void AddOpenApi(IServiceCollection services)
    {
        services.AddOpenApi(api =>
        {
            api.AddDocumentTransformer((document, _, _) =>
            {
                document.AddComponent("GridCookie", new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Cookie, Name = "sAccessToken" });
                document.AddComponent("GridHeader", new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", BearerFormat = "JWT" });
                return Task.CompletedTask;
            });
            api.AddOperationTransformer((operation, context, _) =>
            {
                var metadata = context.Description.ActionDescriptor.EndpointMetadata;
                if (metadata.OfType<IAuthorizeData>().Any() && !metadata.OfType<IAllowAnonymous>().Any())
                {
                    // Either of them will do.
                    operation.Security =
                    [
                        new() { [new OpenApiSecuritySchemeReference("GridCookie", context.Document)] = [] },
                        new() { [new OpenApiSecuritySchemeReference("GridHeader", context.Document)] = [] },
                    ];
                }

                return Task.CompletedTask;
            });
        });
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
