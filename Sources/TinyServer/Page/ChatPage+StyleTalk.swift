extension ChatPage {
    /// The conversation: what was asked stands in a bubble to the right, what was answered on the page itself.
    static let styleOfTalk = """
        .talk { max-width: 48rem; margin: 0 auto; padding: 1.5rem 1.25rem .5rem; }
        .talk:empty { display: none; }
        .welcome { max-width: 34rem; margin: 0 auto; padding: 16vh 1.25rem 2rem; text-align: center; }
        .welcome h2 { font-size: 1.6rem; letter-spacing: -.015em; text-wrap: balance; margin-bottom: .5rem; overflow-wrap: anywhere; }
        .ideas { display: flex; flex-wrap: wrap; justify-content: center; gap: .5rem; margin-top: 1.75rem; }
        .ideas button { border: 1px solid var(--line); border-radius: 1.3rem; padding: .4rem 1rem; background: none; }
        .ideas button:hover { background: var(--panel); }
        article { margin-bottom: 1.5rem; }
        .asked { display: flex; flex-direction: column; align-items: flex-end; }
        .asked .text {
          max-width: 85%; padding: .55rem .95rem; border-radius: 1.2rem 1.2rem .3rem 1.2rem; background: var(--panel);
          border: 1px solid var(--line);
        }
        .asked .note { margin-top: .25rem; }
        .text { white-space: pre-wrap; overflow-wrap: anywhere; }
        .answered .text { line-height: 1.75; }
        .waiting { display: flex; align-items: center; gap: .6rem; min-height: 1.75rem; }
        .waiting i { width: .6rem; height: .6rem; border-radius: 50%; background: var(--accent); }
        @media (prefers-reduced-motion: no-preference) {
          .waiting i { animation: breathe 1.2s ease-in-out infinite alternate; }
          @keyframes breathe { from { opacity: .25; transform: scale(.8); } }
        }
        .foot { display: flex; align-items: baseline; gap: .75rem; margin-top: .25rem; color: var(--faint); font-size: .85rem; }
        .figures { flex: 1; display: flex; flex-wrap: wrap; gap: 0 .9rem; font-variant-numeric: tabular-nums; }
        .actions { display: flex; margin-right: -.6rem; }
        .foot button { min-height: 2.25rem; padding: .15rem .6rem; white-space: nowrap; font-size: .85rem; color: var(--faint); }
        .foot button:hover { color: var(--ink); }
        .note { color: var(--faint); font-size: .85rem; }
        .trouble {
          margin-top: .6rem; padding: .7rem .95rem; border-radius: .8rem; background: var(--bad-paper); font-size: .95rem;
          display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; overflow-wrap: anywhere;
        }
        .trouble div { flex: 1 1 14rem; min-width: 0; }
        .trouble strong { color: var(--bad); display: block; }
        .trouble button { border: 1px solid var(--line); background: var(--paper); }

        .token { scroll-margin-block: 2.5rem; cursor: default; }
        .token:hover, .token:focus, .token.here { border-radius: 3px; outline: 2px solid var(--accent); outline-offset: 0; }
        /* Not before it is needed: thousands of boxes take their time. */
        .confident .token { border-radius: 3px; padding: .12em 0; box-shadow: inset 0 0 0 .5px var(--line); }
        .confident .p0 { background: var(--p0); } .confident .p1 { background: var(--p1); }
        .confident .p2 { background: var(--p2); } .confident .p3 { background: var(--p3); }
        .confident .p4 { background: var(--p4); } .confident .p5 { background: var(--p5); }
        .confident .p4, .confident .p5 {
          text-decoration: underline; text-decoration-thickness: 1.5px; text-underline-offset: .22em;
        }
        .confident .break::before, .break:focus::before { content: "↵"; color: var(--faint); font-size: .8em; }
        @media (max-width: 960px) {
          .talk { padding: 1rem 1rem .25rem; }
          .welcome { padding-top: 9vh; }
          .foot { display: block; }
          .foot button { min-height: 2.75rem; }
          .actions { margin: 0 -.6rem; }
        }
        @media (forced-colors: active) {
          .confident .token { border-bottom: 1px solid; }
          .candidates .bar i { background: CanvasText; forced-color-adjust: none; }
        }
        """

    /// The candidates: beside the conversation where there is room, else between it and the composer.
    static let styleOfPanel = """
        aside { position: relative; padding: 1.25rem 1.1rem; font-size: .9rem; }
        #close-panel { position: absolute; top: .6rem; right: .5rem; width: 2.25rem; height: 2.25rem; min-height: 0; }
        aside h2 { font-size: 1.05rem; margin: 0 2.25rem .15rem 0; overflow-wrap: anywhere; white-space: pre-wrap; }
        aside h2 + p, aside p { color: var(--faint); margin: 0 0 .75rem; }
        aside table + h2 { margin-top: 1.25rem; }
        .sign { color: var(--faint); font-weight: 400; }
        .candidates { width: 100%; border-collapse: collapse; margin-bottom: .75rem; table-layout: fixed; }
        .candidates td { padding: .2rem .3rem; vertical-align: middle; }
        .candidates td.piece { width: 38%; overflow-wrap: anywhere; white-space: pre-wrap; }
        .candidates td.number { width: 4.4em; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .candidates .bar i {
          display: block; height: .65em; border-radius: 3px; background: var(--accent); opacity: .55; min-width: 1px;
        }
        .candidates .came td { font-weight: 650; background: color-mix(in srgb, var(--accent) 12%, transparent); }
        .candidates .came .bar i { opacity: 1; }
        .candidates .came td:first-child { border-radius: 6px 0 0 6px; }
        .candidates .came td:last-child { border-radius: 0 6px 6px 0; }
        .candidates .others td { color: var(--faint); }
        .candidates .others .bar i { background: var(--faint); }
        .legend { color: var(--faint); font-size: .8rem; border-top: 1px solid var(--line); padding-top: .75rem; }
        .legend p { margin: 0 0 .4rem; }
        .legend span { display: inline-flex; align-items: center; gap: .35rem; margin: 0 .8rem .25rem 0; }
        .legend i { width: 1.1rem; height: 1.1rem; border: 1px solid var(--line); border-radius: 3px; }
        .legend .p0 { background: var(--p0); } .legend .p1 { background: var(--p1); } .legend .p2 { background: var(--p2); }
        .legend .p3 { background: var(--p3); } .legend .p4 { background: var(--p4); } .legend .p5 { background: var(--p5); }
        @media (min-width: 961px) { aside:not(.open) #close-panel { display: none; } }
        @media (max-width: 960px) {
          aside {
            max-height: 44vh; border-left: 0; border-top: 1px solid var(--line); padding: .75rem 1rem;
            border-radius: 14px 14px 0 0; box-shadow: 0 -4px 16px rgba(0, 0, 0, .08);
          }
          aside:not(.open), main:has(aside.open) #latest { display: none; }
          .candidates { margin-bottom: .4rem; }
          .candidates td { padding: .12rem .3rem; }
        }
        """
}
