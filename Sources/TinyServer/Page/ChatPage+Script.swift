extension ChatPage {
    /// Elements, words and what is remembered. Texts reach the page as text nodes only, never as markup.
    static let scriptOfBasics = #"""
        const byId = id => document.getElementById(id);

        function make(name, attributes, ...children) {
          const element = document.createElement(name);
          for (const [key, value] of Object.entries(attributes)) {
            if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
          }
          element.append(...children);
          return element;
        }

        function button(word, attributes, action) {
          const element = make("button", { type: "button", ...attributes }, say(word));
          element.addEventListener("click", action);
          return element;
        }

        // A browser may refuse to store: then the page forgets, and works. The conversation and the key are the tab's
        // own and go with it; tastes are the browser's.
        const ofTab = () => sessionStorage, ofBrowser = () => localStorage;
        const memory = {
          read(store, key) {
            try { return JSON.parse(store().getItem("tinygpt." + key)); } catch { return null; }
          },
          write(store, key, value) {
            try {
              if (value === null) store().removeItem("tinygpt." + key);
              else store().setItem("tinygpt." + key, JSON.stringify(value));
              return true;
            } catch { return false; }
          },
        };

        let language = memory.read(ofBrowser, "language") ?? (navigator.languages ?? [navigator.language])
          .map(name => String(name).toLowerCase().split("-")[0]).find(name => name in words) ?? "en";
        if (!(language in words)) language = "en";

        function say(key, values = {}) {
          return words[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
        }

        function translate() {
          document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
          for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
          for (const element of document.querySelectorAll("[data-label]")) {
            element.setAttribute("aria-label", say(element.dataset.label));
            if (element.localName === "button") element.title = say(element.dataset.label);
          }
          for (const element of document.querySelectorAll("[data-hint]")) element.placeholder = say(element.dataset.hint);
          const other = byId("language");
          other.textContent = say("otherLanguage");
          other.lang = language === "zh" ? "en" : "zh-CN";
          other.title = say("otherLanguageLabel");
          other.setAttribute("aria-label", say("otherLanguageLabel"));
        }

        const percent = p => p >= 0.0995 ? (p * 100).toFixed(1) + "%"
          : p >= 0.0001 ? (p * 100).toFixed(2) + "%" : p > 0 ? "< 0.01%" : "0%";
        const count = number => Number(number).toLocaleString(language);

        // What a screen reader says, when it has said what came before.
        let spoken = 0;
        function speak(text) {
          const line = byId("spoken");
          line.textContent = "";
          line.textContent = text;
          spoken++;
        }
        """#

    /// What goes to the server and what comes back.
    static let scriptOfRequests = #"""
        // What went wrong, by the name of the words that say so; the server's own words besides.
        class Trouble extends Error {
          constructor(kind, details = {}) {
            super(kind);
            this.kind = kind;
            this.details = details;
          }
        }

        const kindOfStatus = status => ({ 401: "Key", 403: "Forbidden", 404: "Missing", 408: "Late", 413: "Large",
          429: "Busy", 503: "Busy", 504: "Late" })[status] ?? (status >= 500 ? "Server" : "Request");

        // OpenAI's shape of an error, or whatever text there is.
        async function wordsOf(response) {
          let text = "";
          try { text = await response.text(); } catch { return ""; }
          try {
            const { error, message } = JSON.parse(text);
            return String(error?.message ?? message ?? error ?? text);
          } catch { return text.slice(0, 300); }
        }

        async function ask(path, options = {}) {
          const key = memory.read(ofTab, "key") ?? keyInMemory;
          const headers = { ...options.headers, ...(key ? { Authorization: "Bearer " + key } : {}) };
          let response;
          try {
            response = await fetch(path, { ...options, headers, cache: "no-store", redirect: "error" });
          } catch (error) {
            if (error.name === "AbortError") throw error;
            throw new Trouble("Unreachable");
          }
          if (response.ok) return response;
          const wait = Number(response.headers.get("Retry-After"));
          throw new Trouble(kindOfStatus(response.status), {
            status: response.status, words: await wordsOf(response), wait: wait > 0 ? wait : undefined });
        }
        // Where the browser stores nothing.
        let keyInMemory = null;

        // The data of server-sent events, cut wherever the network cuts them.
        async function* eventsOf(body) {
          const reader = body.getReader(), decoder = new TextDecoder();
          let rest = "", data = [];
          try {
            for (;;) {
              const { value, done } = await reader.read();
              rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
              // A return at the very end may yet be followed by its line feed.
              const lines = rest.split(done ? /\r\n|\n|\r/ : /\r\n|\n|\r(?!$)/);
              rest = lines.pop();
              for (const line of lines) {
                if (line === "") {
                  if (data.length) yield data.join("\n");
                  data = [];
                } else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
              }
              if (done) return;
            }
          } finally { reader.cancel().catch(() => {}); }
        }

        // The chunks of a reply. A stream that ends before it says so was cut off.
        async function* chunksOf(request, signal) {
          const response = await ask("v1/chat/completions", {
            method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request), signal });
          const kind = response.headers.get("Content-Type") ?? "";
          if (!kind.startsWith("text/event-stream")) throw new Trouble("Unreadable", { words: kind });
          try {
            for await (const data of eventsOf(response.body)) {
              if (data === "[DONE]") return;
              let chunk;
              try { chunk = JSON.parse(data); } catch { throw new Trouble("Unreadable", { words: data.slice(0, 200) }); }
              if (chunk?.error) throw new Trouble("Server", { words: String(chunk.error.message ?? chunk.error) });
              if (typeof chunk !== "object" || chunk === null) throw new Trouble("Unreadable", { words: data.slice(0, 200) });
              yield chunk;
            }
          } catch (error) {
            if (error instanceof Trouble || error.name === "AbortError") throw error;
          }
          throw new Trouble("Lost");
        }

        async function modelNames(signal) {
          const response = await ask("v1/models", { signal });
          try {
            const { data } = await response.json();
            return data.map(model => String(model.id));
          } catch { throw new Trouble("Unreadable"); }
        }
        """#
}
