namespace DistTrain.Akka.Configuration;

/// <summary>Whether every brace of a HOCON text has its end, of which the parser says nothing: it takes what it has read so far for the whole.</summary>
internal static class HoconShape
{
    /// <summary>Throws what <paramref name="problem"/> makes of the first brace that has none.</summary>
    public static void Require(string text, Func<string, Exception> problem)
    {
        Stack<(char Open, int Line)> open = new();
        int line = 1;
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\n':
                    line++;
                    break;
                case '#':
                case '/' when i + 1 < text.Length && text[i + 1] == '/' && IsComment(text, i):
                    i = text.IndexOf('\n', i) is >= 0 and int end ? end - 1 : text.Length;
                    break;
                case '"':
                    int close = text.IndexOf('"', i + 1);
                    line += close < 0 ? 0 : text.AsSpan(i, close - i).Count('\n');
                    i = close < 0 ? throw problem($"line {line}: a text has no end; expected \"") : close;
                    break;
                case '{' or '[':
                    open.Push((text[i], line));
                    break;
                case '}' or ']':
                    if (!open.TryPop(out (char Open, int Line) last) || last.Open != (text[i] == '}' ? '{' : '['))
                    {
                        throw problem($"line {line}: '{text[i]}' ends nothing; expected as many that begin as end");
                    }

                    break;
            }
        }

        if (open.TryPop(out (char Open, int Line) left))
        {
            throw problem($"line {left.Line}: '{left.Open}' has no end; expected '{(left.Open == '{' ? '}' : ']')}' before the end of the file");
        }
    }

    // An address such as http://host has two slashes in its middle.
    private static bool IsComment(string text, int at) => at == 0 || char.IsWhiteSpace(text[at - 1]);
}
