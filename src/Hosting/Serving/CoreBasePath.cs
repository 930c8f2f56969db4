namespace Grid.Hosting.Serving;

/// <summary>What stands before every path of the core API (<c>Grid:Core:BasePath</c>).</summary>
internal static class CoreBasePath
{
    /// <summary>Takes it off; what does not begin with it is not found.</summary>
    public static void UseBasePath(this IApplicationBuilder app, string? basePath)
    {
        var path = new PathString("/" + string.Join('/', (basePath ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries)));
        if (path.Value == "/")
        {
            return;
        }

        app.Use(async (context, next) =>
        {
            if (!context.Request.Path.StartsWithSegments(path, out var matched, out var rest))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                context.Response.ContentType = "text/html; charset=UTF-8";
                await context.Response.WriteAsync("Not found\n", context.RequestAborted);
                return;
            }

            context.Request.PathBase = context.Request.PathBase.Add(matched);
            context.Request.Path = rest.HasValue ? rest : "/";
            await next(context);
        });
    }
}
