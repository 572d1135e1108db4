using System.Text;

namespace DistTrain.Protocol.Wire;

/// <summary>Names on the wire: <c>NonFiniteLayer</c> becomes <c>non-finite-layer</c>.</summary>
internal static class KebabCase
{
    public static string From(string pascalCase)
    {
        StringBuilder name = new(pascalCase.Length + 4);
        for (int i = 0; i < pascalCase.Length; i++)
        {
            if (char.IsAsciiLetterUpper(pascalCase[i]) && i > 0)
            {
                name.Append('-');
            }

            name.Append(char.ToLowerInvariant(pascalCase[i]));
        }

        return name.ToString();
    }
}
