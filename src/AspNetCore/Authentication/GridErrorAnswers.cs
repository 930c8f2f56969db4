using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grid.AspNetCore.Authentication;

/// <summary>Registers <see cref="GridErrors"/> for each place where exceptions surface.</summary>
internal static class GridErrorAnswers
{
    public static IServiceCollection AddGridErrors(this IServiceCollection services)
    {
        services.TryAddSingleton<GridErrors>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, GridErrors>(provider => provider.GetRequiredService<GridErrors>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IExceptionHandler, GridErrors>(provider => provider.GetRequiredService<GridErrors>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IDeveloperPageExceptionFilter, GridErrors>(provider => provider.GetRequiredService<GridErrors>()));
        return services;
    }
}
