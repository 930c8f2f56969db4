using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grid.WebFront.Admission;

/// <summary>A request's way into its class. A feature of its context, where it has one, from <see cref="BeforeAsync"/> on.</summary>
/// <remarks>
/// A place is taken when nothing is waited for any more but this silo itself, so after the body was read: otherwise a client that sends
/// byte by byte would hold one, and a few hundred of them a whole class.
/// </remarks>
internal sealed class AdmissionDoor(AdmissionControl admission, RequestClass kind, Asker from) : IDisposable
{
    private static readonly string[] Waits = ["1", "2", "3"];

    private AdmissionControl.Place _place;
    private bool _isInside;

    /// <summary>Refuses a request for which there is no room before its body is read and anything is done for it, and frees its place after everything.</summary>
    /// <param name="context">The request.</param>
    /// <param name="admission">Decides.</param>
    /// <param name="kind">Its class.</param>
    /// <param name="from">Who asks.</param>
    /// <param name="next">Goes on.</param>
    /// <param name="refuseAsync">Answers 503 as its door does.</param>
    public static Task BeforeAsync(HttpContext context, AdmissionControl admission, RequestClass kind, Asker from, RequestDelegate next, RequestDelegate refuseAsync)
    {
        if (kind == RequestClass.None)
        {
            return next(context);
        }

        if (admission.IsFull(kind, from))
        {
            return refuseAsync(context);
        }

        var door = new AdmissionDoor(admission, kind, from);
        context.Features.Set(door);
        return door.RunAsync(context, next, refuseAsync);
    }

    /// <summary>Takes the request's place, if it has none: before its work begins.</summary>
    /// <exception cref="OverloadedException">There is none left.</exception>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public static void Enter(HttpContext context)
    {
        // Nobody would hear the answer, and nothing has begun.
        context.RequestAborted.ThrowIfCancellationRequested();
        if (context.Features.Get<AdmissionDoor>() is { _isInside: false } door)
        {
            door.Enter();
        }
    }

    /// <summary>Takes it at once if no body has to be read first.</summary>
    public static void EnterIfWhole(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true })
        {
            Enter(context);
        }
    }

    /// <summary>What <c>Retry-After</c> says: not the same to all, or they all come back at once.</summary>
    public static string RetryAfter() => Waits[RetryAfterSeconds() - 1];

    /// <summary>The same as a number.</summary>
    public static int RetryAfterSeconds() => Random.Shared.Next(Waits.Length) + 1;

    /// <summary>The door of a request that has come in by one.</summary>
    public static AdmissionDoor Of(HttpContext context) => context.Features.GetRequiredFeature<AdmissionDoor>();

    /// <summary>Takes the place.</summary>
    /// <exception cref="OverloadedException">There is none left.</exception>
    public void Enter()
    {
        _place = admission.Enter(kind, from);
        _isInside = _place.IsTaken ? true : throw new OverloadedException();
    }

    /// <summary>
    /// Gives the place back and takes one of another class, to be disposed of, while the core behind Grid is waited for. Then <see cref="Enter()"/>
    /// goes on, if there is more to do.
    /// </summary>
    /// <param name="other">The class.</param>
    /// <param name="hasBegun">Whether something is written already, so that it has to be finished: then there always is a place.</param>
    /// <exception cref="OverloadedException">There is none left.</exception>
    public AdmissionControl.Place WaitOutside(RequestClass other, bool hasBegun = false)
    {
        Dispose();
        var place = admission.Enter(other, from, hasBegun);
        return place.IsTaken ? place : throw new OverloadedException();
    }

    /// <summary>Gives the place back, if there is one.</summary>
    public void Dispose()
    {
        var place = _place;
        (_place, _isInside) = (default, false);
        place.Dispose();
    }

    private async Task RunAsync(HttpContext context, RequestDelegate next, RequestDelegate refuseAsync)
    {
        try
        {
            await next(context);
        }
        catch (OverloadedException) when (!context.Response.HasStarted)
        {
            await refuseAsync(context);
        }
        finally
        {
            Dispose();
        }
    }
}
