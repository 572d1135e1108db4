namespace DistTrain.Commands.Studies;

/// <summary>The page's style sheet: light and dark, and one column on a narrow screen.</summary>
internal static class StudyStyle
{
    public const string Css =
        """
        :root{color-scheme:light dark;--bg:#fff;--fg:#1c2128;--mute:#59636e;--grid:#d9dee4;
        --c0:#1f6feb;--c1:#d1242f;--c2:#1a7f37;--c3:#9a6700;--c4:#8250df;--c5:#0e7490;--c6:#bf3989;--c7:#57606a;
        --s0:#24292f;--s1:#54aeff;--s2:#fb8f44;--s3:#fa4549;--s4:#c297ff;--s5:#e3e7eb;--jf:#1a7f37;--jb:#0a3069;--jo:#7d8590}
        @media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--mute:#9198a1;--grid:#30363d;
        --c0:#58a6ff;--c1:#ff7b72;--c2:#3fb950;--c3:#d29922;--c4:#bc8cff;--c5:#39c5cf;--c6:#f778ba;--c7:#9198a1;
        --s0:#e6edf3;--s1:#1f6feb;--s2:#db6d28;--s3:#da3633;--s4:#8957e5;--s5:#21262d;--jf:#3fb950;--jb:#a5d6ff;--jo:#6e7681}}
        body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
        main{max-width:1180px;margin:0 auto;padding:16px 12px 48px}
        h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.2rem}h3{font-size:1rem;margin:1.6rem 0 .3rem}
        p{margin:.3rem 0;color:var(--mute)}p.n{overflow-wrap:anywhere}
        .m{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:14px 24px;align-items:start}
        figure{margin:0}svg{display:block;width:100%;height:auto}svg text{font:10px system-ui,sans-serif;fill:var(--mute)}svg text.t{font-size:12px;font-weight:600;fill:var(--fg)}
        .x{overflow-x:auto}table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
        th,td{padding:3px 9px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}th:first-child{text-align:left;position:sticky;left:0;background:var(--bg)}
        .k{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:.3rem 0 .6rem;padding:0;font-size:13px}.k li{display:flex;align-items:center;gap:6px}.w{width:28px;height:10px;flex:none}
        .g{stroke:var(--grid);fill:none}.a{stroke:var(--mute);fill:none}.l{fill:none;stroke-width:1.6;stroke-linejoin:round}.d1{stroke-dasharray:5 3}.d2{stroke-dasharray:1.5 2.5}
        .c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}.c5{stroke:var(--c5)}.c6{stroke:var(--c6)}.c7{stroke:var(--c7)}
        .s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}.s5{fill:var(--s5)}.jf{fill:var(--jf)}.jb{fill:var(--jb)}.jo{fill:var(--jo)}
        """;
}
