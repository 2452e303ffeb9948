extension ChatPage {
    /// Colours, the three parts of the window, and what all buttons and fields share. The colours are those of the page
    /// of a trace: six steps of probability in one hue, told apart by lightness, text readable on each.
    static let styleOfPage = """
        :root {
          color-scheme: light dark;
          --paper: #ffffff; --ink: #1a1c20; --faint: #5c6370; --line: #d5d9e0; --panel: #f5f6f8; --accent: #0b57d0;
          --on-accent: #ffffff; --bad: #b3261e; --bad-paper: #fcefee;
          --p0: transparent; --p1: #fdf0d5; --p2: #fbdca6; --p3: #f8bd78; --p4: #ef9455; --p5: #dc6b4f;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #14161a; --ink: #e8eaee; --faint: #a0a7b4; --line: #363b45; --panel: #1d2026; --accent: #8ab4f8;
            --on-accent: #10233f; --bad: #f2b8b5; --bad-paper: #2c1a1b;
            --p0: transparent; --p1: #33291a; --p2: #4d3616; --p3: #6b4212; --p4: #8a4513; --p5: #a3371f;
          }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        html { height: 100%; background: var(--paper); }
        body {
          margin: 0; height: var(--height, 100dvh); display: flex; flex-direction: column; overflow: hidden;
          background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%;
          font: 16px/1.6 system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
        }
        h1, h2, p { margin: 0; }
        h2 { font-size: 1.15rem; line-height: 1.3; }
        .faint { color: var(--faint); font-size: .9rem; text-wrap: pretty; }
        .spoken {
          position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%);
          white-space: nowrap;
        }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

        header {
          display: flex; align-items: center; gap: .25rem; padding: .5rem 1rem .5rem 1.25rem; flex: none;
          border-bottom: 1px solid var(--line); min-height: 3.5rem;
        }
        .brand { display: flex; align-items: baseline; gap: .75rem; flex: 1; min-width: 0; }
        h1 { font-size: 1.05rem; letter-spacing: -.01em; }
        .brand p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        main {
          flex: 1; min-height: 0; display: grid; grid-template: "talk panel" minmax(0, 1fr) "composer panel" auto /
            minmax(0, 1fr) 21rem;
        }
        .scroll { grid-area: talk; overflow-y: auto; overscroll-behavior: contain; min-height: 0; }
        aside { grid-area: panel; overflow-y: auto; border-left: 1px solid var(--line); background: var(--panel); }
        .composer { grid-area: composer; width: 100%; max-width: 48rem; margin: 0 auto; }
        .composer { padding: .25rem 1.25rem .6rem; }
        .box {
          display: flex; align-items: flex-end; gap: .5rem; padding: .4rem; border: 1px solid var(--line);
          border-radius: 1.4rem; background: var(--panel);
        }
        .box:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
        .box textarea {
          flex: 1; min-width: 0; border: 0; outline: 0; background: none; resize: none; padding: .35rem .5rem .35rem .75rem;
          max-height: 35vh; overflow-y: auto; line-height: 1.5;
        }
        .keys { text-align: center; font-size: .8rem; padding-top: .35rem; }
        #latest {
          grid-area: talk; place-self: end center; margin-bottom: .75rem; z-index: 1; background: var(--paper);
          border: 1px solid var(--line); box-shadow: 0 2px 8px rgba(0, 0, 0, .12);
        }

        button, textarea, input, select { font: inherit; color: inherit; }
        textarea::placeholder, input::placeholder { color: var(--faint); opacity: 1; }
        button { cursor: pointer; border: 0; border-radius: .6rem; padding: .35rem .7rem; min-height: 2.5rem; }
        button svg {
          width: 1.25rem; height: 1.25rem; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8;
          stroke-linecap: round; stroke-linejoin: round;
        }
        svg .full { fill: currentColor; }
        button:disabled { cursor: default; opacity: .45; }
        .plain { background: none; display: inline-flex; align-items: center; gap: .45rem; }
        .plain:hover { background: var(--panel); }
        .plain[aria-pressed=true] { background: color-mix(in srgb, var(--accent) 14%, transparent); color: var(--accent); }
        .strong { background: var(--accent); color: var(--on-accent); font-weight: 600; }
        .round { width: 2.5rem; height: 2.5rem; padding: 0; border-radius: 50%; flex: none; display: inline-flex;
          align-items: center; justify-content: center; }
        aside .plain:hover, .box .plain:hover { background: var(--line); }

        dialog {
          width: min(30rem, calc(100vw - 2rem)); max-height: calc(100dvh - 2rem); padding: 1.25rem; overflow-y: auto;
          border: 1px solid var(--line); border-radius: 14px; background: var(--paper); color: var(--ink);
        }
        dialog::backdrop { background: rgba(0, 0, 0, .4); }
        dialog form { display: grid; gap: 1rem; }
        dialog label { display: grid; gap: .3rem; font-size: .9rem; font-weight: 600; min-width: 0; }
        dialog textarea, dialog input, dialog select {
          font-weight: 400; font-size: 1rem; width: 100%; padding: .5rem .65rem; border: 1px solid var(--line);
          border-radius: .6rem; background: var(--panel); resize: vertical;
        }
        dialog :user-invalid { border-color: var(--bad); }
        .pairs { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; }
        .row { display: flex; justify-content: flex-end; gap: .5rem; }
        .row #change-key { margin-right: auto; }
        .trouble-text { color: var(--bad); }
        @media (max-width: 960px) {
          header { padding: .4rem .5rem .4rem 1rem; gap: 0; }
          header button { min-width: 2.75rem; min-height: 2.75rem; justify-content: center; padding: .3rem .5rem; }
          header button svg + span { display: none; }
          .brand { display: block; line-height: 1.3; }
          .brand p { font-size: .8rem; }
          main { grid-template: "talk" minmax(0, 1fr) "panel" auto "composer" auto / minmax(0, 1fr); }
          .composer { padding: .25rem .75rem max(.6rem, env(safe-area-inset-bottom)); }
          .keys { display: none; }
        }
        """
}
