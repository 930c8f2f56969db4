using Grid.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Grid.WebFront.Core;

/// <summary>Pages that concern the installation as a whole, such as its metrics. They are on the core API's port, never on the front's.</summary>
internal static class OperatorPages
{
    /// <summary>Adds a page. Its paths stay where they are whatever <c>Grid:Core:BasePath</c> says, as the probes' do.</summary>
    /// <param name="app">After the front has taken its requests.</param>
    /// <param name="path">Of the page and all below it.</param>
    /// <param name="own">Opens this page, besides the installation's API keys; null for none.</param>
    /// <param name="answer">What answers, below the path.</param>
    public static void UseOperatorPage(this IApplicationBuilder app, string path, TokenHash? own, Action<IApplicationBuilder> answer)
    {
        var gate = app.ApplicationServices.GetRequiredService<CoreGate>();
        app.Map(path, page =>
        {
            page.Use((context, next) => GuardAsync(context, next, gate, own));
            answer(page);
        });
    }

    private static Task GuardAsync(HttpContext context, RequestDelegate next, CoreGate gate, TokenHash? own)
    {
        try
        {
            gate.CheckOperator(context, own);
        }
        catch (CoreException refusal)
        {
            if (refusal.Status == StatusCodes.Status401Unauthorized)
            {
                // A browser asks its user, who gives an API key as the password.
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"Grid\", charset=\"UTF-8\"";
            }

            return CoreResponse.WriteTextAsync(context, refusal.Status, refusal.Message);
        }

        return HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
            ? next(context)
            : CoreResponse.WriteTextAsync(context, StatusCodes.Status405MethodNotAllowed, "Method not supported");
    }
}
