namespace DistTrain.Data.Generated;

/// <summary>
/// How each digit is written, as strokes in a unit square whose y points down. Several digits have several forms, because people
/// write them so.
/// </summary>
internal static class GlyphShapes
{
    /// <summary>Forms by digit.</summary>
    public static GlyphStroke[][][] Forms { get; } =
    [
        [
            [Loop(.5, .05, .71, .2, .77, .5, .71, .8, .5, .95, .29, .8, .23, .5, .29, .2)],
            [Loop(.54, .05, .68, .22, .66, .55, .56, .85, .44, .95, .32, .78, .34, .45, .44, .15)],
        ],
        [
            [Line(.5, .05, .5, .95)],
            [Line(.3, .27, .53, .05, .53, .95)],
            [Line(.32, .22, .52, .05, .52, .95), Line(.3, .95, .74, .95)],
        ],
        [
            [Curve(.25, .25, .35, .09, .55, .05, .73, .18, .7, .4, .5, .64, .25, .95), Line(.25, .95, .77, .95)],
            [Curve(.25, .22, .45, .05, .7, .15, .68, .42, .42, .75, .26, .92, .21, .79, .38, .76, .58, .9, .79, .88)],
        ],
        [
            [Curve(.26, .14, .48, .05, .7, .16, .68, .36, .45, .47), Curve(.45, .47, .7, .55, .75, .76, .55, .94, .24, .86)],
            [Line(.26, .06, .72, .06, .45, .42), Curve(.45, .42, .7, .5, .75, .74, .54, .95, .24, .86)],
        ],
        [
            [Line(.32, .05, .23, .57, .78, .57), Line(.64, .25, .62, .95)],
            [Line(.62, .95, .62, .05, .2, .66, .81, .66)],
            [Curve(.28, .08, .24, .4, .4, .53, .68, .46), Curve(.71, .07, .68, .45, .62, .95)],
        ],
        [
            [Line(.73, .06, .33, .06, .29, .45), Curve(.29, .45, .5, .38, .74, .52, .72, .8, .5, .95, .24, .86)],
            [Curve(.72, .08, .4, .08, .3, .28, .4, .43, .62, .5, .73, .67, .62, .88, .4, .95, .24, .86)],
        ],
        [
            [Curve(.68, .07, .45, .18, .29, .45, .25, .72, .4, .93, .62, .92, .75, .73, .62, .54, .42, .54, .27, .7)],
            [Curve(.5, .05, .36, .3, .27, .65, .36, .91, .58, .94, .7, .76, .58, .6, .4, .62, .28, .76)],
        ],
        [
            [Line(.22, .07, .77, .07, .42, .95)],
            [Line(.22, .07, .77, .07, .44, .95), Line(.36, .5, .74, .5)],
            [Line(.23, .22, .25, .07, .77, .07), Curve(.77, .07, .58, .4, .5, .68, .47, .95)],
        ],
        [
            [
                Loop(.5, .05, .7, .15, .68, .36, .5, .47, .32, .36, .3, .15),
                Loop(.5, .47, .74, .58, .74, .83, .5, .95, .26, .83, .26, .58),
            ],
            [Loop(.71, .17, .49, .05, .3, .19, .42, .42, .67, .64, .69, .86, .48, .95, .29, .84, .35, .62, .6, .41)],
        ],
        [
            [Loop(.72, .28, .6, .07, .38, .08, .26, .29, .4, .5, .61, .48), Curve(.73, .2, .72, .6, .62, .95)],
            [Loop(.72, .28, .58, .06, .36, .09, .27, .31, .42, .5, .62, .46), Curve(.73, .2, .75, .6, .6, .9, .33, .91)],
        ],
    ];

    private static GlyphStroke Line(params double[] xy) => new(xy, Smooth: false, Closed: false);

    private static GlyphStroke Curve(params double[] xy) => new(xy, Smooth: true, Closed: false);

    private static GlyphStroke Loop(params double[] xy) => new(xy, Smooth: true, Closed: true);
}

/// <summary>Points x₀, y₀, x₁, y₁, … joined by straight lines, or by a Catmull-Rom curve that may close on itself.</summary>
internal sealed record GlyphStroke(double[] Points, bool Smooth, bool Closed);
