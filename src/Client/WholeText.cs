using System.Runtime.CompilerServices;
using System.Text;

namespace Grid.Client;

/// <summary>Text that arrives as it was sent. Half of a surrogate pair is not Unicode: on the way it becomes another character, and a user another user.</summary>
internal static class WholeText
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text itself.</summary>
    /// <exception cref="GridException"><see cref="GridFailure.Refused"/>: half of a surrogate pair is in it.</exception>
    public static string Require(string text, [CallerArgumentExpression(nameof(text))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(text, name);
        try
        {
            _ = Utf8.GetByteCount(text);
            return text;
        }
        catch (EncoderFallbackException failure)
        {
            throw new GridException(GridFailure.Refused, $"{name} has half of a surrogate pair in it, which is no character.", failure);
        }
    }
}
