using Grid.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Mvc.Testing;

/// <summary><c>factory.WithGridSessions()</c> and <c>factory.WithGrid(host)</c>.</summary>
public static class GridWebApplicationFactoryExtensions
{
    /// <summary>The application without any Grid: its sessions are in the test's memory (<see cref="GridTestSessions"/>).</summary>
    /// <param name="factory">Of an application that uses Grid in whichever way.</param>
    /// <returns>A factory of its own. Its clients may be signed in by <c>client.WithGridSession("alice")</c>.</returns>
    public static WebApplicationFactory<T> WithGridSessions<T>(this WebApplicationFactory<T> factory)
        where T : class => factory.With(services => services.AddGridTesting());

    /// <inheritdoc cref="WithGridSessions{T}(WebApplicationFactory{T})"/>
    /// <param name="factory">Of an application that uses Grid in whichever way.</param>
    /// <param name="sessions">Sessions that the test has already, to share them between applications or to go by a clock of their own.</param>
    public static WebApplicationFactory<T> WithGridSessions<T>(this WebApplicationFactory<T> factory, GridTestSessions sessions)
        where T : class => factory.With(services => services.AddGridTesting(sessions));

    /// <summary>The application connected to a real Grid in the test's process, whose clock becomes the application's.</summary>
    /// <param name="factory">Of an application that uses Grid in whichever way.</param>
    /// <param name="grid">Must outlive the application.</param>
    /// <returns>A factory of its own. Its clients may be signed in by <c>client.WithGridSession("alice")</c>.</returns>
    public static WebApplicationFactory<T> WithGrid<T>(this WebApplicationFactory<T> factory, GridTestHost grid)
        where T : class => factory.With(services => services.AddGridTesting(grid));

    /// <summary>The sessions of an application that was set up by <c>WithGridSessions()</c>: revoke one, look at another, let Grid be away.</summary>
    public static GridTestSessions GetGridSessions<T>(this WebApplicationFactory<T> factory)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(factory);
        return factory.Services.GetService<GridTestSessions>() ?? throw new InvalidOperationException("This application's sessions are not the test's: make the factory by WithGridSessions().");
    }

    private static WebApplicationFactory<T> With<T>(this WebApplicationFactory<T> factory, Action<IServiceCollection> services)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(factory);
        return factory.WithWebHostBuilder(builder => builder.ConfigureTestServices(services));
    }
}
