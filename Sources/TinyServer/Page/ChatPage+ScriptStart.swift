extension ChatPage {
    /// The two dialogs: settings and the key.
    static let scriptOfSettings = #"""
        const fields = ["system", "temperature", "top_p", "max_tokens", "seed"];
        let models = [];

        async function findModel(signal) {
          models = await modelNames(signal);
          if (!models.length) throw new Trouble("Missing");
          modelName = models.includes(settings.model) ? settings.model : models[0];
          showModel();
        }

        function showModel() {
          byId("model").textContent = modelName ?? say("noModel");
          byId("model").title = modelName ?? "";
        }

        async function connect() {
          try { await findModel(); } catch (error) {
            showModel();
            if (error.kind === "Key") openKey();
          }
        }

        function openSettings() {
          for (const field of fields) byId("set-" + field).value = settings[field] ?? "";
          byId("model-row").hidden = models.length < 2;
          byId("model-choice").replaceChildren(...models.map(name => make("option", { value: name }, name)));
          byId("model-choice").value = modelName ?? "";
          byId("change-key").hidden = (memory.read(ofTab, "key") ?? keyInMemory) === null;
          byId("settings").showModal();
        }

        function takeSettings() {
          settings = {};
          for (const field of fields) {
            const text = byId("set-" + field).value.trim();
            if (text !== "") settings[field] = field === "system" ? text : Number(text);
          }
          if (models.length > 1) {
            settings.model = modelName = byId("model-choice").value;
            showModel();
          }
          memory.write(ofBrowser, "settings", settings);
        }

        // Asked for where the server does not answer without one; a key that was there is then the wrong one.
        function openKey() {
          const had = memory.read(ofTab, "key") ?? keyInMemory;
          byId("key").value = "";
          sayKeyTrouble(had === null ? null : "keyWrong");
          if (!byId("key-dialog").open) byId("key-dialog").showModal();
        }

        function sayKeyTrouble(word) {
          byId("key-trouble").hidden = word === null;
          byId("key-trouble").textContent = word === null ? "" : say(word);
        }

        async function takeKey(event) {
          const key = byId("key").value.trim();
          // Nothing else can stand in a header.
          if (!/^[\x21-\x7e]+$/.test(key)) {
            event.preventDefault();
            sayKeyTrouble("keyBad");
            byId("key").focus();
            return;
          }
          keyInMemory = key;
          memory.write(ofTab, "key", key);
          if (talk.messages.at(-1)?.trouble?.kind === "Key") regenerate();
          else await connect();
        }
        """#

    /// What the reader does.
    static let scriptOfStart = #"""
        const input = byId("input"), isNarrow = matchMedia("(max-width: 960px)");

        function submit() {
          const text = input.value.trim();
          if (!text || talk.control) return;
          input.value = "";
          grow();
          send(text);
        }

        // As high as what is written.
        function grow() {
          input.style.height = "auto";
          input.style.height = input.scrollHeight + "px";
          keepDown();
        }

        function showConfidence(on) {
          byId("confidence").setAttribute("aria-pressed", String(on));
          byId("talk").classList.toggle("confident", on);
          byId("legend").hidden = !on;
          memory.write(ofBrowser, "confidence", on);
        }

        function fillIdeas() {
          byId("ideas").replaceChildren(...["idea1", "idea2", "idea3"].map(word => button(word, {}, () => send(say(word)))));
          if (talk.before?.length) {
            byId("ideas").append(button("bringBack", { id: "bring-back" }, () => begin(talk.before)));
          }
        }

        function showWords() {
          translate();
          showModel();
          fillIdeas();
          panel.translate();
          for (const view of talk.views) view.refresh();
        }

        byId("composer").addEventListener("submit", event => { event.preventDefault(); submit(); });
        input.addEventListener("input", grow);
        input.addEventListener("keydown", event => {
          // Enter that ends the writing of Chinese signs is not for us; some browsers tell it by the code 229 alone.
          if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
          event.preventDefault();
          submit();
        });
        input.addEventListener("focus", () => { if (isNarrow.matches) panel.close(); });
        // On a touch screen a keyboard would rise.
        const toInput = () => { if (matchMedia("(pointer: fine)").matches) input.focus(); };
        function stop() {
          talk.control?.abort();
          toInput();
        }
        byId("stop").addEventListener("click", stop);
        byId("new").addEventListener("click", () => {
          if (talk.messages.length) talk.before = talk.messages.filter(message => message.end !== null);
          begin();
          fillIdeas();
          toInput();
        });
        byId("confidence").addEventListener("click", () =>
          showConfidence(byId("confidence").getAttribute("aria-pressed") !== "true"));
        byId("language").addEventListener("click", () => {
          language = language === "zh" ? "en" : "zh";
          memory.write(ofBrowser, "language", language);
          showWords();
        });

        byId("open-settings").addEventListener("click", openSettings);
        byId("settings").querySelector("form").addEventListener("submit", takeSettings);
        byId("cancel-settings").addEventListener("click", () => byId("settings").close());
        byId("change-key").addEventListener("click", () => {
          byId("settings").close();
          openKey();
          sayKeyTrouble(null);
        });
        byId("key-dialog").querySelector("form").addEventListener("submit", takeKey);
        byId("cancel-key").addEventListener("click", () => byId("key-dialog").close());

        const tokenOf = event => event.target instanceof Element ? event.target.closest(".token") : null;
        // A page that moves under a pointer at rest points at nothing.
        let pointer = "";
        byId("talk").addEventListener("mousemove", event => {
          const place = event.clientX + " " + event.clientY, span = tokenOf(event);
          if (span && place !== pointer) panel.open(span);
          pointer = place;
        });
        byId("talk").addEventListener("click", event => {
          if (tokenOf(event) === null && isNarrow.matches && !event.target.closest("button")) panel.close();
        });
        byId("talk").addEventListener("focusin", event => {
          const span = tokenOf(event);
          if (!span) return;
          talk.views.find(view => view.article.contains(span))?.moveTo(span);
          panel.open(span);
          if (span.matches(":focus-visible")) panel.speak(span.run);
          if (isNarrow.matches) span.scrollIntoView({ block: "nearest" });
        });
        byId("talk").addEventListener("keydown", event => {
          const span = tokenOf(event);
          if (!span || event.ctrlKey || event.altKey || event.metaKey) return;
          if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
          event.preventDefault();
          neighbor(span, event.key)?.focus();
        });
        byId("close-panel").addEventListener("click", () => panel.close());
        // Closes what is open; then leaves the reply, or stops it.
        document.addEventListener("keydown", event => {
          if (event.key !== "Escape" || event.isComposing || document.querySelector("dialog[open]")) return;
          if (panel.close()) return;
          if (tokenOf(event)) input.focus();
          else stop();
        });

        const scroll = byId("scroll");
        scroll.addEventListener("scroll", () => {
          followsEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 48;
          byId("latest").hidden = followsEnd;
        });
        byId("latest").addEventListener("click", () => { followsEnd = true; keepDown(); });
        addEventListener("pagehide", () => { if (talk.control) save(talk.messages.length - 1); });
        // The composer stays above a keyboard on the screen; zooming in is not one.
        visualViewport?.addEventListener("resize", () => {
          const isKeyboard = visualViewport.scale === 1 && visualViewport.height < innerHeight;
          document.documentElement.style.setProperty("--height", isKeyboard ? visualViewport.height + "px" : "100dvh");
          if (isKeyboard) scrollTo(0, 0);
          keepDown();
        });
        addEventListener("resize", keepDown);

        showWords();
        showConfidence(memory.read(ofBrowser, "confidence") === true);
        // What another version of the page left may be no conversation for this one.
        try { restore(); } catch { begin(); }
        fillIdeas();
        keepDown();
        connect();
        toInput();
        """#
}
