using System.Data.Common;
using System.Net.Sockets;
using Grid.Abstractions;

namespace Grid.Hosting.Logs;

/// <summary>Failures that are normal while a silo, the store or the network is away: where in the code they were met tells an operator nothing, what caused them does.</summary>
internal static class ExpectedFailure
{
    private const int LongestMessage = 300;
    private const int MostMessages = 5;

    /// <summary>Whether another party is away, as far as the exception and what caused it tell.</summary>
    public static bool Is(Exception failure) => failure switch
    {
        AggregateException { InnerExceptions.Count: > 0 } all => all.InnerExceptions.All(Is),
        StoreUnavailableException or SiloUnavailableException or OrleansMessageRejectionException or DbException or SocketException or IOException or TimeoutException or OperationCanceledException => true,
        { InnerException: { } cause } => Is(cause),
        _ => false,
    };

    /// <summary>What happened and why, on one line, without stacks.</summary>
    public static string Describe(Exception failure)
    {
        List<string> messages = [];
        for (var cause = failure; cause is not null && messages.Count < MostMessages; cause = cause.InnerException)
        {
            var message = FirstLine(cause.Message).TrimEnd('.');
            if (!messages.Any(said => said.Contains(message, StringComparison.Ordinal)))
            {
                messages.Add(message);
            }
        }

        return string.Join(" < ", messages);
    }

    /// <summary>Without what follows on it: exceptions of Orleans repeat others with their stacks in their own messages.</summary>
    private static string FirstLine(string message)
    {
        var end = message.AsSpan().IndexOfAny('\r', '\n');
        end = end < 0 ? message.Length : end;
        return end > LongestMessage ? message[..LongestMessage] + "…" : message[..end];
    }
}
