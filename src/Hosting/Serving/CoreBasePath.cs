namespace Grid.Hosting.Serving;

/// <summary>The prefix of every path of the core API (<c>Grid:Core:BasePath</c>).</summary>
internal static class CoreBasePath
{
    /// <summary>Strips the prefix; paths without it are answered 404.</summary>
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
