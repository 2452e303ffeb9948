extension ChatPage {
    /// What stands still; the script fills in words by `data-word` (text), `data-label` (name and tip) and `data-hint`
    /// (placeholder), in the reader's language.
    static let body = """
        <header>
        <div class="brand"><h1>tinygpt</h1><p id="model" class="faint"></p></div>
        <button type="button" id="confidence" class="plain" aria-pressed="false" data-label="confidenceLabel">
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4 16V9M8 16V4M12 16v-5M16 16V7"/></svg>
        <span data-word="confidence"></span></button>
        <button type="button" id="language" class="plain"></button>
        <button type="button" id="open-settings" class="plain" data-label="settings">
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M3 6h7M14 6h3M3 14h3M10 14h7"/><circle cx="12" cy="6" r="2"/>\
        <circle cx="8" cy="14" r="2"/></svg>
        <span data-word="settings"></span></button>
        <button type="button" id="new" class="plain" data-label="newTalk">
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 4v12M4 10h12"/></svg>
        <span data-word="newTalk"></span></button>
        </header>
        <main>
        <div class="scroll" id="scroll">
        <div class="talk" id="talk" role="log" aria-live="off" data-label="conversation"></div>
        <div class="welcome" id="welcome">
        <h2 data-word="welcome"></h2>
        <p class="faint" data-word="welcomeMore"></p>
        <div class="ideas" id="ideas"></div>
        </div>
        <noscript><p class="talk">This page needs JavaScript, which it carries in itself. 本页需要 JavaScript。</p></noscript>
        </div>
        <button type="button" id="latest" class="plain round" data-label="latest" hidden>
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 4v12M5 11l5 5 5-5"/></svg></button>
        <aside id="panel" data-label="candidates">
        <button type="button" id="close-panel" class="plain round" data-label="close">
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M5 5l10 10M15 5L5 15"/></svg></button>
        <div id="panel-content"></div>
        <div class="legend" id="legend" hidden></div>
        </aside>
        <form class="composer" id="composer" autocomplete="off">
        <div class="box">
        <label class="spoken" for="input" data-word="inputLabel"></label>
        <textarea id="input" rows="1" enterkeyhint="send" data-hint="inputHint"></textarea>
        <button type="submit" id="send" class="round strong" data-label="send">
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 16V4M5 9l5-5 5 5"/></svg></button>
        <button type="button" id="stop" class="round strong" data-label="stop" hidden>
        <svg viewBox="0 0 20 20" aria-hidden="true"><rect x="6" y="6" width="8" height="8" rx="1" class="full"/></svg>
        </button>
        </div>
        <p class="faint keys" data-word="keys"></p>
        </form>
        </main>
        <p class="spoken" id="spoken" role="status" aria-live="polite"></p>
        <dialog id="settings" aria-labelledby="settings-title">
        <form method="dialog" autocomplete="off">
        <h2 id="settings-title" data-word="settings"></h2>
        <label id="model-row" hidden><span data-word="model"></span><select id="model-choice"></select></label>
        <label><span data-word="system"></span>
        <textarea id="set-system" rows="3" data-hint="systemHint"></textarea></label>
        <div class="pairs">
        <label><span data-word="temperature"></span>
        <input id="set-temperature" type="number" min="0" max="2" step="any" inputmode="decimal" data-hint="asServer"></label>
        <label><span data-word="topP"></span>
        <input id="set-top_p" type="number" min="0" max="1" step="any" inputmode="decimal" data-hint="asServer"></label>
        <label><span data-word="maxTokens"></span>
        <input id="set-max_tokens" type="number" min="1" step="1" inputmode="numeric" data-hint="asServer"></label>
        <label><span data-word="seed"></span>
        <input id="set-seed" type="number" min="0" max="9007199254740991" step="1" inputmode="numeric" data-hint="asServer"></label>
        </div>
        <p class="faint" data-word="settingsMore"></p>
        <div class="row">
        <button type="button" id="change-key" class="plain" data-word="changeKey" hidden></button>
        <button type="button" id="cancel-settings" class="plain" data-word="cancel"></button>
        <button type="submit" class="strong" data-word="done"></button>
        </div>
        </form>
        </dialog>
        <dialog id="key-dialog" aria-labelledby="key-title">
        <form method="dialog" autocomplete="off">
        <h2 id="key-title" data-word="keyTitle"></h2>
        <p class="faint" data-word="keyMore"></p>
        <label><span data-word="key"></span>
        <input id="key" type="password" autocomplete="off" spellcheck="false" autocapitalize="off"></label>
        <p class="trouble-text" id="key-trouble" role="alert" hidden></p>
        <div class="row">
        <button type="button" id="cancel-key" class="plain" data-word="cancel"></button>
        <button type="submit" class="strong" data-word="useKey"></button>
        </div>
        </form>
        </dialog>
        """
}
