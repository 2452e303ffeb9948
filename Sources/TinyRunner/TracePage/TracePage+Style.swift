extension TracePage {
    /// Six steps of probability from pale to strong, in one hue that is told apart by all eyes by its lightness; text keeps
    /// a contrast of at least 4.5 on each.
    static let style = """
        :root {
          color-scheme: light dark;
          --paper: #ffffff; --ink: #1a1c20; --faint: #5c6370; --line: #d5d9e0; --panel: #f5f6f8; --accent: #0b57d0;
          --p0: transparent; --p1: #fdf0d5; --p2: #fbdca6; --p3: #f8bd78; --p4: #ef9455; --p5: #dc6b4f;
          --look: 11, 87, 208;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #14161a; --ink: #e8eaee; --faint: #a0a7b4; --line: #363b45; --panel: #1d2026; --accent: #8ab4f8;
            --p0: transparent; --p1: #33291a; --p2: #4d3616; --p3: #6b4212; --p4: #8a4513; --p5: #a3371f;
            --look: 120, 165, 245;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0; padding: 1rem; background: var(--paper); color: var(--ink);
          font: 16px/1.6 system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
        }
        h1 { font-size: 1.15rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
        .figures { color: var(--faint); margin: 0 0 .75rem; font-size: .9rem; }
        .tabs { display: flex; gap: .25rem; border-bottom: 1px solid var(--line); margin-bottom: .75rem; }
        .tabs button {
          font: inherit; color: var(--ink); background: none; border: 0; border-bottom: 3px solid transparent;
          padding: .3rem .8rem; cursor: pointer;
        }
        .tabs button[aria-selected=true] { border-color: var(--accent); font-weight: 600; }
        main { display: grid; grid-template-columns: minmax(0, 1fr) 22rem; gap: 1.25rem; align-items: start; }
        .legend { display: flex; flex-wrap: wrap; gap: .3rem .6rem; font-size: .8rem; color: var(--faint); margin: 0 0 .6rem; }
        .legend span { display: inline-flex; align-items: center; gap: .3rem; }
        .legend i { width: 1.1rem; height: 1.1rem; border: 1px solid var(--line); border-radius: 3px; }
        .text { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 1.1rem; line-height: 1.9; }
        .token { border-radius: 3px; padding: .12em 0; cursor: default; box-shadow: inset 0 0 0 .5px var(--line); }
        .token.chosen { font-weight: 600; }
        .token.special, .mark { font-size: .8em; font-style: italic; }
        .token.unlikely { text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: .25em; }
        .p0 { background: var(--p0); } .p1 { background: var(--p1); } .p2 { background: var(--p2); }
        .p3 { background: var(--p3); } .p4 { background: var(--p4); } .p5 { background: var(--p5); }
        .token:focus, .token:hover, td:focus, td:hover { outline: 2px solid var(--accent); outline-offset: 0; z-index: 1; }
        .token.here { outline: 2px solid var(--accent); }
        aside {
          position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow: auto; font-size: .9rem;
          background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .75rem;
        }
        aside h2 { font-size: 1rem; margin: 0 0 .25rem; overflow-wrap: anywhere; white-space: pre-wrap; }
        aside p { margin: .1rem 0 .5rem; color: var(--faint); }
        aside table { width: 100%; border-collapse: collapse; }
        aside td { padding: .12rem .3rem; vertical-align: middle; }
        aside td.piece { overflow-wrap: anywhere; white-space: pre-wrap; }
        aside td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; width: 4.5em; }
        aside td.bar { width: 30%; }
        aside td.bar i { display: block; height: .7em; border-radius: 2px; background: var(--accent); min-width: 1px; }
        aside tr.came td { font-weight: 700; }
        .scroll { overflow: auto; max-height: 80vh; border: 1px solid var(--line); border-radius: 6px; }
        .grid { border-collapse: separate; border-spacing: 0; font-size: .85rem; }
        .grid th {
          position: sticky; background: var(--paper); font-weight: 600; padding: .15rem .4rem; white-space: pre;
          border-bottom: 1px solid var(--line); z-index: 2;
        }
        .grid thead th { top: 0; } .grid tbody th { left: 0; text-align: right; border-right: 1px solid var(--line); }
        .grid thead th:first-child { left: 0; z-index: 3; }
        .grid td {
          padding: .15rem .35rem; white-space: pre; max-width: 8em; overflow: hidden; text-overflow: ellipsis;
          border-bottom: 1px solid var(--line); cursor: default; position: relative;
        }
        .s4 { background: rgba(var(--look), .10); } .s3 { background: rgba(var(--look), .20); }
        .s2 { background: rgba(var(--look), .32); } .s1 { background: rgba(var(--look), .44); }
        .s0 { background: rgba(var(--look), .55); }
        .choices { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin-bottom: .6rem; }
        .choices label { display: inline-flex; gap: .4rem; align-items: center; }
        select { font: inherit; color: var(--ink); background: var(--panel); border: 1px solid var(--line); border-radius: 4px; }
        [hidden] { display: none !important; }
        @media (max-width: 760px) {
          main { grid-template-columns: minmax(0, 1fr); padding-bottom: 45vh; }
          aside {
            position: fixed; left: 0; right: 0; bottom: 0; top: auto; max-height: 42vh; border-radius: 10px 10px 0 0;
            z-index: 5;
          }
        }
        """
}
