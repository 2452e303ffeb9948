extension ChatPage {
    /// The candidates of the token that is pointed at.
    static let scriptOfPanel = #"""
        // A piece as a candidate: white space shows as signs, bytes of a character as numbers; where the bytes before it
        // make it a whole character, that character too.
        function shown(piece, before) {
          const parts = [];
          const text = typeof piece === "string" ? piece : textOf(joined([...before, piece]));
          if (text === "") return [make("span", { class: "sign" }, "∅")];
          for (const part of (text ?? "").split(/([ \u00a0\n\r\t\u0000-\u001f\u007f])/)) {
            if (part === " " || part === "\u00a0") parts.push(make("span", { class: "sign" }, "␣"));
            else if (part === "\n" || part === "\r") parts.push(make("span", { class: "sign" }, "↵"));
            else if (part === "\t") parts.push(make("span", { class: "sign" }, "⇥"));
            else if (/^[\u0000-\u001f\u007f]$/.test(part)) parts.push(make("span", { class: "sign" }, "�"));
            else if (part) parts.push(part);
          }
          if (typeof piece !== "string") {
            const numbers = piece.map(byte => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
            parts.push(make("span", { class: "sign" }, (text ? " " : "") + numbers));
          }
          return parts;
        }

        function row(className, label, p) {
          const bar = make("i", {});
          bar.style.width = (100 * Math.min(1, p)).toFixed(1) + "%";
          const chosen = className === "came" ? make("span", { class: "spoken" }, " (" + say("chosen") + ")") : "";
          return make("tr", { class: className },
            make("td", { class: "piece" }, ...label, chosen),
            make("td", { class: "number" }, percent(p)),
            make("td", { class: "bar" }, bar));
        }

        const samePiece = (a, b) => String(bytesOf(a)) === String(bytesOf(b));

        // The chosen one is marked, and stands below where it is none of the likeliest.
        function tableOf(token, before) {
          const rows = token.candidates.map(([piece, score]) => ({ piece, score, came: false }));
          // Two tokens may have the same bytes: the score tells them apart.
          const same = rows.filter(row => samePiece(row.piece, token.piece));
          const came = same.find(row => row.score === token.score) ?? same[0];
          if (came) came.came = true;
          else rows.push({ piece: token.piece, score: token.score, came: true });
          const others = 1 - rows.reduce((sum, row) => sum + Math.exp(row.score), 0);
          return make("table", { class: "candidates" }, make("tbody", {},
            ...rows.map(({ piece, score, came }) => row(came ? "came" : "", shown(piece, before), Math.exp(score))),
            ...(others > 0.00005 ? [row("others", [say("others")], others)] : [])));
        }

        function tellRun(run) {
          const parts = [];
          const pieces = run.tokens.map(token => token.piece);
          if (run.tokens.length > 1) {
            parts.push(make("h2", {}, run.text), make("p", {}, say("tokenParts", { count: run.tokens.length })));
          }
          run.tokens.forEach((token, index) => {
            const before = pieces.slice(0, index);
            parts.push(make("h2", {}, ...shown(token.piece, before)),
              make("p", {}, say("tokenLine", { probability: percent(Math.exp(token.score)) })));
            parts.push(token.candidates.length ? tableOf(token, before) : make("p", {}, say("panelNone")));
          });
          parts.push(make("p", {}, say("panelNote")));
          return parts;
        }

        const panel = {
          span: null,

          open(span) {
            if (this.span === span) return;
            this.span?.classList.remove("here");
            this.span = span;
            span.classList.add("here");
            byId("panel-content").replaceChildren(...tellRun(span.run));
            byId("panel").classList.add("open");
            byId("panel").scrollTop = 0;
          },

          close() {
            const wasOpen = this.span !== null;
            this.span?.classList.remove("here");
            this.span = null;
            byId("panel").classList.remove("open");
            byId("panel-content").replaceChildren(
              make("h2", {}, say("candidates")), make("p", {}, say("panelHint")));
            return wasOpen;
          },

          translate() {
            const span = this.span;
            this.close();
            if (span) this.open(span);
            byId("legend").replaceChildren(make("p", {}, say("legend")), ...steps.map(([, name], index) =>
              make("span", {}, make("i", { class: "p" + index }), name)));
          },

          // For a reader who hears the page.
          speak(run) {
            const token = run.tokens.at(-1), before = run.tokens.slice(0, -1).map(part => part.piece);
            const name = piece => shown(piece, before).map(part => part.textContent ?? part).join("");
            speak(say("tokenSpoken", {
              text: run.text.trim() || name(token.piece), probability: percent(probability(run)),
              list: token.candidates.slice(0, 4)
                .map(([piece, score]) => name(piece).replaceAll("␣", "") + " " + percent(Math.exp(score))).join("; ") }));
          },
        };

        // The token before or behind, in whichever paragraph.
        function beside(span, isBack) {
          const step = isBack ? "previousElementSibling" : "nextElementSibling";
          if (span[step]) return span[step];
          let paragraph = span.parentElement[step];
          while (paragraph && !paragraph.firstElementChild) paragraph = paragraph[step];
          return (isBack ? paragraph?.lastElementChild : paragraph?.firstElementChild) ?? null;
        }

        // One stop for the tab key in each reply; arrow keys go on from there, up and down by lines.
        function neighbor(span, key) {
          const all = span.closest(".text").getElementsByClassName("token");
          if (key === "Home") return all[0];
          if (key === "End") return all[all.length - 1];
          const isBack = key === "ArrowLeft" || key === "ArrowUp";
          if (key === "ArrowLeft" || key === "ArrowRight") return beside(span, isBack);
          const from = span.getBoundingClientRect(), x = from.left + from.width / 2;
          let best = null, distance = Infinity, line = null;
          for (let other = beside(span, isBack); other; other = beside(other, isBack)) {
            const box = other.getBoundingClientRect();
            if (Math.abs(box.bottom - from.bottom) < 4) continue;
            if (line !== null && Math.abs(box.bottom - line) > 4) break;
            line ??= box.bottom;
            const away = Math.abs(box.left + box.width / 2 - x);
            if (away < distance) [best, distance] = [other, away];
          }
          return best;
        }
        """#
}
