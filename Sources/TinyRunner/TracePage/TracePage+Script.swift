extension TracePage {
    /// Texts reach the page as text nodes only, never as markup.
    static let script = #"""
        "use strict";
        const data = JSON.parse(document.getElementById("data").textContent);
        const pieces = new Map(data.pieces.map(piece => [piece.id, piece.text]));
        const byId = id => document.getElementById(id);

        function make(name, attributes, ...children) {
          const element = document.createElement(name);
          for (const [key, value] of Object.entries(attributes)) {
            if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
          }
          element.append(...children);
          return element;
        }

        // Steps of probability, the likeliest first.
        const steps = [
          [0.5, "50 % or more"], [0.2, "20 – 50 %"], [0.05, "5 – 20 %"], [0.01, "1 – 5 %"], [0.001, "0.1 – 1 %"],
          [0, "below 0.1 %"]];
        const step = p => steps.findIndex(([least]) => p >= least);
        const percent = p => p >= 0.0995 ? (p * 100).toFixed(1) + " %"
          : p >= 0.0001 ? (p * 100).toFixed(2) + " %" : p > 0 ? "< 0.01 %" : "0 %";

        // White space shows as signs.
        const signs = text => text.replace(/\n/g, "↵").replace(/\t/g, "⇥")
          .replace(/[\u0000-\u001F]/g, sign => String.fromCharCode(0x2400 + sign.charCodeAt(0)));
        const shown = text => text === "" ? "∅" : signs(text).replace(/ /g, "␣");

        // A part of a character stands with the character at its end.
        const labels = data.tokens.map(token => shown(token.text));
        for (const run of data.runs) {
          if (run.to - run.from > 1) labels[run.to - 1] += " " + shown(run.text);
        }

        function prediction(list) {
          const candidates = [];
          for (let i = 1; i < list.length; i += 2) candidates.push({ id: list[i], p: list[i + 1] });
          return { entropy: list[0], candidates };
        }

        function bars(rows) {
          const most = Math.max(...rows.map(row => row.p), 1e-9);
          return make("table", {}, make("tbody", {}, ...rows.map(row =>
            make("tr", { class: row.came && "came" },
              make("td", { class: "piece" }, row.text),
              make("td", { class: "number" }, percent(row.p)),
              make("td", { class: "bar" }, bar(row.p / most))))));
        }

        function bar(part) {
          const element = make("i", {});
          element.style.width = (100 * part).toFixed(1) + "%";
          return element;
        }

        function candidates(list, came) {
          const { entropy, candidates } = prediction(list);
          return [
            make("p", {}, "Entropy " + (entropy === null ? "?" : entropy.toFixed(2)) + " bits"),
            bars(candidates.map(({ id, p }) => ({ text: shown(pieces.get(id) ?? ""), p, came: id === came })))];
        }

        function tell(...children) { byId("panel").replaceChildren(...children); }

        // Tokens that make one character are told of together.
        function tellRun(run) {
          const parts = [];
          if (run.to - run.from > 1) parts.push(make("h2", {}, run.text + " – " + (run.to - run.from) + " tokens"));
          for (let i = run.from; i < run.to; i++) {
            const token = data.tokens[i];
            parts.push(make("h2", {}, shown(token.text)));
            parts.push(make("p", {}, "token " + i + ", id " + token.id + (token.special ? ", special" : "")
              + (token.chosen ? ", chosen by the model" : "") + (token.p === null ? "; not scored"
              : "; probability " + percent(token.p) + ", rank " + token.rank)));
            const before = i > 0 ? data.tokens[i - 1].next : null;
            if (before && token.p !== null) parts.push(...candidates(before, token.id));
          }
          const last = run.to === data.tokens.length && data.tokens[run.to - 1].next;
          if (last) parts.push(make("h2", {}, "What comes next"), ...candidates(last));
          tell(...parts);
        }

        // One stop for the tab key; arrow keys go on from there.
        function walkable(elements, onFocus) {
          elements.forEach((element, index) => {
            element.tabIndex = index === 0 ? 0 : -1;
            element.addEventListener("mouseenter", () => onFocus(index));
            element.addEventListener("click", () => element.focus());
            element.addEventListener("focus", () => {
              elements.forEach(other => { if (other.tabIndex === 0) other.tabIndex = -1; });
              element.tabIndex = 0;
              onFocus(index);
            });
            element.addEventListener("keydown", event => {
              const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
              const target = event.key === "Home" ? 0 : event.key === "End" ? elements.length - 1 : index + (move ?? NaN);
              if (elements[target]) { event.preventDefault(); elements[target].focus(); }
            });
          });
        }

        // A run as it stands in the text; a line's end shows and breaks the line.
        function runElement(run, classes) {
          const special = data.tokens[run.from].special;
          const element = make("span", { class: ["token", special && "special", ...classes].filter(Boolean).join(" ") });
          const parts = run.text.split(/(\r?\n)/);
          parts.forEach((part, index) => {
            if (index % 2) element.append(make("span", { class: "mark" }, "↵"), "\n");
            else if (/^(\\x[0-9A-F]{2})+$/.test(part)) element.append(make("span", { class: "mark" }, part));
            else element.append(part);
          });
          if (run.text === "") element.append(make("span", { class: "mark" }, "∅"));
          return element;
        }

        function showText() {
          const elements = data.runs.map(run => {
            const tokens = data.tokens.slice(run.from, run.to);
            const scored = tokens.every(token => token.p !== null);
            const p = tokens.reduce((product, token) => product * token.p, 1);
            const element = runElement(run, [
              scored && "p" + step(p), scored && tokens.some(token => token.rank > 10) && "unlikely",
              tokens.every(token => token.chosen) && "chosen"]);
            if (scored) element.setAttribute("aria-label", signs(run.text) + ", " + percent(p));
            return element;
          });
          byId("text").append(...elements);
          walkable(elements, index => tellRun(data.runs[index]));
          byId("legend-text").append(
            ...steps.map(([, name], index) => make("span", {}, make("i", { class: "p" + index }), name)),
            make("span", {}, make("u", {}, "underlined"), "not among the first ten"));
        }

        function showLens() {
          const head = make("tr", {}, make("th", { scope: "col" }, "layer"),
            ...labels.map(label => make("th", { scope: "col" }, label)));
          const cells = [];
          const rows = data.lensLayers.map((layer, row) => make("tr", {}, make("th", { scope: "row" }, String(layer)),
            ...data.tokens.map((token, column) => {
              const list = token.lens[row];
              if (!list) return make("td", {});
              const [, id, p] = list;
              const cell = make("td", { class: "s" + step(p) }, shown(pieces.get(id) ?? ""));
              cells.push(cell);
              cell.tell = () => {
                const came = data.tokens[column + 1];
                tell(make("h2", {}, "Layer " + layer + ", behind " + labels[column]),
                  make("p", {}, came ? "What came: " + labels[column + 1] : "The end of the text"),
                  ...candidates(list, came?.id));
              };
              return cell;
            }))).reverse();
          byId("lens").append(make("thead", {}, head), make("tbody", {}, ...rows));
          // In the order in which they are seen: the last layer first.
          const seen = [...byId("lens").querySelectorAll("td")].filter(cell => cell.tell);
          walkable(seen, index => seen[index].tell());
          byId("legend-lens").append(...steps.map(([, name], index) =>
            make("span", {}, make("i", { class: "s" + index }), name)));
        }

        function showAttention() {
          const layers = byId("layer"), heads = byId("head");
          data.attention.forEach((map, index) => layers.append(make("option", { value: index }, String(map.layer))));
          const elements = data.runs.map(run => runElement(run, []));
          byId("attention").append(...elements);
          let current = data.runs.length - 1;

          function fillHeads() {
            const chosen = heads.value;
            const map = data.attention[layers.value];
            heads.replaceChildren(make("option", { value: "mean" }, "mean of all"),
              ...map.heads.map((_, index) => make("option", { value: index }, String(index + 1))));
            heads.value = [...heads.options].some(option => option.value === chosen) ? chosen : "mean";
          }

          // Weights by token, and what went elsewhere, of the run's last token.
          function look(run) {
            const map = data.attention[layers.value];
            const chosen = heads.value === "mean" ? map.heads.map((_, index) => index) : [Number(heads.value)];
            const weights = new Map();
            let elsewhere = 0;
            for (const head of chosen) {
              const row = map.heads[head][run.to - 1] ?? [];
              for (let i = 0; i < row.length; i += 2) {
                weights.set(row[i], (weights.get(row[i]) ?? 0) + row[i + 1] / 1000 / chosen.length);
              }
              if (map.elsewhere) elsewhere += (map.elsewhere[head][run.to - 1] ?? 0) / 1000 / chosen.length;
            }
            return { weights, elsewhere, known: map.heads[0][run.to - 1] !== undefined, hasElsewhere: map.elsewhere };
          }

          function show(index) {
            current = index;
            const run = data.runs[index];
            const { weights, elsewhere, known, hasElsewhere } = look(run);
            const rows = [];
            data.runs.forEach((other, place) => {
              let sum = 0;
              for (let i = other.from; i < other.to; i++) sum += weights.get(i) ?? 0;
              elements[place].classList.toggle("here", place === index);
              elements[place].style.background = sum > 0 ? `rgba(var(--look), ${(0.55 * Math.sqrt(sum)).toFixed(3)})` : "";
              if (sum > 0) rows.push({ text: shown(other.text), p: sum, place });
            });
            rows.sort((a, b) => b.p - a.p);
            if (hasElsewhere) rows.push({ text: "(elsewhere: a sink, or in front of the text)", p: elsewhere });
            const map = data.attention[layers.value];
            tell(make("h2", {}, shown(run.text) + " looked at"),
              make("p", {}, "layer " + map.layer + ", " + (heads.value === "mean" ? "mean of " + map.heads.length
                + " heads" : "head " + (Number(heads.value) + 1)) + "; weights sum to 1, small ones are left out"),
              known ? bars(rows.slice(0, 16)) : make("p", {}, "The model has not read this token: it was the last."));
          }

          fillHeads();
          layers.addEventListener("change", () => { fillHeads(); show(current); });
          heads.addEventListener("change", () => show(current));
          walkable(elements, show);
          return () => show(current);
        }

        const tabs = [["text", "Text", showText]];
        if (data.lensLayers.length) tabs.push(["lens", "Lens", showLens]);
        if (data.attention.length) tabs.push(["attention", "Attention", showAttention]);
        const refresh = {};
        function open(name) {
          for (const [other] of tabs) {
            byId("view-" + other).hidden = other !== name;
            byId("tab-" + other).setAttribute("aria-selected", String(other === name));
          }
          if (refresh[name]) refresh[name]();
          else tell(make("p", {}, "Point at a token, or go there with the keys, to see what the model expected in its place."));
        }
        tabs.forEach(([name, label, show]) => {
          const button = make("button", { type: "button", role: "tab", id: "tab-" + name }, label);
          button.addEventListener("click", () => open(name));
          byId("tabs").append(button);
          refresh[name] = show();
        });
        byId("title").textContent = data.title;
        byId("figures").textContent = data.tokens.length + " tokens"
          + (data.scored ? ", " + data.scored + " scored; perplexity " + (data.perplexity ?? "infinite")
            + ", log-probability " + (data.logProbability ?? "−∞") + " nats" : "");
        byId("tabs").hidden = tabs.length < 2;
        open(["text", "lens", "attention"].includes(location.hash.slice(1)) && byId("tab-" + location.hash.slice(1))
          ? location.hash.slice(1) : "text");
        const last = data.runs.at(-1);
        if (byId("view-text").hidden === false && last) tellRun(last);
        """#
}
