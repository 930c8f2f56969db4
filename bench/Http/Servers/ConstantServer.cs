using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Grid.Bench.Http.Servers;

/// <summary>The least that any HTTP service on this platform costs: Kestrel reads the body and answers a constant.</summary>
internal static class ConstantServer
{
    public const string Verb = "constant";

    public static Task<ServerProcess> StartAsync(int answerBytes)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Verb, answerBytes.ToString(System.Globalization.CultureInfo.InvariantCulture)]);

        // As the silo has it, being a web project.
        start.Environment["DOTNET_gcServer"] = "1";
        start.Environment["DOTNET_gcConcurrent"] = "1";
        return ServerProcess.StartAsync(start, "http://");
    }

    public static async Task ServeAsync(int answerBytes)
    {
        const string opening = "{\"status\":\"OK\",\"filler\":\"";
        var answer = System.Text.Encoding.ASCII.GetBytes(opening + new string('x', Math.Max(0, answerBytes - opening.Length - 2)) + "\"}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        await using var app = builder.Build();
        app.Run(async context =>
        {
            var body = context.Request.BodyReader;
            while (true)
            {
                var read = await body.ReadAsync();
                body.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }

            context.Response.ContentType = "application/json; charset=UTF-8";
            context.Response.ContentLength = answer.Length;
            await context.Response.BodyWriter.WriteAsync(answer);
        });
        await app.StartAsync();
        Console.Out.WriteLine(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await app.WaitForShutdownAsync();
    }
}
