using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grid.Testing.Tests;

/// <summary>Applications under test: quiet, and without files of theirs.</summary>
internal static class Applications
{
    public static WebApplicationFactory<T> Of<T>(Action<IServiceCollection>? services = null)
        where T : class => new WebApplicationFactory<T>().WithWebHostBuilder(builder =>
        {
            builder.ConfigureLogging(logging => logging.ClearProviders());
            builder.ConfigureTestServices(all =>
            {
                all.AddDataProtection().UseEphemeralDataProtectionProvider();
                services?.Invoke(all);
            });
        });
}
