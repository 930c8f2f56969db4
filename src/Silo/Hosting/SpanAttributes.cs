using System.Collections.Frozen;
using System.Diagnostics;
using OpenTelemetry;

namespace Grid.Silo.Hosting;

/// <summary>
/// Lets only those attributes of a span go out that name nobody: a grain's key is a session or a user, a path or a query may be anything that a stranger sends.
/// Spans without a request (leases, purging, Orleans' membership: several a second, for ever) do not go out at all.
/// </summary>
internal sealed class SpanAttributes : BaseProcessor<Activity>
{
    private const string Requests = "Microsoft.AspNetCore";

    private static readonly FrozenSet<string> Allowed = new[]
    {
        "error.type",
        "http.request.method", "http.response.status_code", "http.route", "network.protocol.version", "url.scheme",
        "rpc.system.name", "rpc.system", "rpc.method", "rpc.service", "orleans.rpc.service",
        "db.system.name", "db.namespace", "db.operation.name", "db.operation.batch.size", "db.collection.name", "db.query.summary", "db.query.text", "db.response.status_code",
    }.ToFrozenSet(StringComparer.Ordinal);

    public override void OnEnd(Activity data)
    {
        if (!IsOfRequest(data))
        {
            data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            return;
        }

        foreach (var name in data.TagObjects.Select(tag => tag.Key).Where(name => !Allowed.Contains(name) && !name.StartsWith("grid.", StringComparison.Ordinal)).ToList())
        {
            data.SetTag(name, null);
        }
    }

    // Begun here by a request, or elsewhere by somebody who says so.
    private static bool IsOfRequest(Activity span)
    {
        while (span.Parent is { } parent)
        {
            span = parent;
        }

        return span.ParentSpanId != default || span.Source.Name == Requests;
    }
}
