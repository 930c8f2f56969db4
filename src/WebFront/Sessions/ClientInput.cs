using System.Text;
using Grid.Abstractions;
using Grid.Client;
using Grid.WebFront.Core;

namespace Grid.WebFront.Sessions;

/// <summary>What a caller of <see cref="IGridSessions"/> hands over, judged as the core API judges its fields. One that is not our client may leave out anything.</summary>
internal static class ClientInput
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A draft that can be created; whether its tenant is there is not looked at.</summary>
    /// <exception cref="SessionRefusedException">It was left out, or a part of it cannot be stored.</exception>
    public static SessionDraft Draft(SessionDraft? draft) => Present(draft, "The session's draft") with
    {
        UserId = UserId(draft!.UserId),
        PayloadJson = JsonObject(draft.PayloadJson, "The payload"),
        DataJson = JsonObject(draft.DataJson, "The data"),
    };

    /// <summary>A JSON object's text, as it came.</summary>
    /// <exception cref="SessionRefusedException">It is none.</exception>
    public static string JsonObject(string? text, string field)
    {
        if (text is not { Length: <= CoreBody.MaxSize })
        {
            throw new SessionRefusedException($"{field} must be a JSON object of at most 1 MiB");
        }

        try
        {
            using var document = CoreBody.Parse(Utf8.GetBytes(text));
            return document.RootElement.GetRawText();
        }
        catch (Exception failure) when (failure is CoreException or EncoderFallbackException)
        {
            throw new SessionRefusedException($"{field} must be a JSON object, no member twice, without U+0000 and halves of characters, and not nested too deeply");
        }
    }

    /// <summary>A user id, kept to the letter.</summary>
    /// <exception cref="SessionRefusedException">It can be nobody's.</exception>
    public static string UserId(string? userId)
    {
        var present = Present(userId, "A user id");
        PayloadRules.CheckUserId(present);
        StorableText.Require(present, "The user id");
        return present;
    }

    private static T Present<T>(T? value, string what)
        where T : class => value ?? throw new SessionRefusedException($"{what} is missing");
}
