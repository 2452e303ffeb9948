extension ChatPage {
    /// How the messages of a conversation look.
    static let scriptOfViews = #"""
        // What was asked.
        class AskedView {
          constructor(message) {
            this.message = message;
            this.article = make("article", { class: "asked" });
            this.refresh();
          }

          refresh() {
            this.article.setAttribute("aria-label", say("you"));
            this.article.replaceChildren(make("div", { class: "text", dir: "auto" }, this.message.text),
              ...(this.message.leftOut ? [make("p", { class: "note" }, say("unanswered"))] : []));
          }
        }

        // What was answered: tokens as they come, then figures. Nothing that stands is made again.
        class ReplyView {
          queue = [];
          isDue = false;
          pause = 0;
          current = null;

          constructor(message) {
            this.message = message;
            this.text = make("div", { class: "text", role: "group", dir: "auto" });
            this.rest = document.createTextNode("");
            this.begin();
            this.waiting = make("p", { class: "waiting faint" }, make("i", {}), make("span", {}));
            this.foot = make("div", { class: "foot" });
            this.trouble = make("div", {});
            this.article = make("article", { class: "answered" }, this.waiting, this.text, this.trouble, this.foot);
            this.add(message.runs);
            this.refresh();
          }

          spanOf(run) {
            if (!run.tokens.length) return document.createTextNode(run.text);
            const name = "token p" + stepOf(probability(run)) + (run.text.includes("\n") ? " break" : "");
            const span = make("span", { class: name, tabindex: this.current ? "-1" : "0" }, run.text);
            span.run = run;
            this.current ??= span;
            return span;
          }

          // A paragraph of its own behind each line feed: a browser lays out again all of the one that grows.
          begin() {
            this.paragraph = make("div", {}, this.rest);
            this.text.append(this.paragraph);
          }

          add(runs) {
            for (const run of runs) {
              this.paragraph.insertBefore(this.spanOf(run), this.rest);
              if (run.text.endsWith("\n")) this.begin();
            }
          }

          // What came shows with the next picture, however many pieces it was; later where pictures take long.
          show(runs, rest) {
            this.queue.push(...runs);
            this.next = rest;
            if (this.isDue) return;
            this.isDue = true;
            setTimeout(() => requestAnimationFrame(() => this.flush()), this.pause);
          }

          flush() {
            const started = performance.now();
            this.isDue = false;
            this.add(this.queue);
            this.queue = [];
            if (this.next !== undefined && this.rest.data !== this.next) this.rest.data = this.next;
            this.showWaiting();
            this.figures?.replaceWith(this.figures = figuresOf(this.message));
            keepDown();
            const took = performance.now() - started;
            this.pause = took > 8 ? Math.min(4 * took, 1000) : 0;
          }

          showWaiting() {
            const { text, end } = this.message;
            this.text.hidden = text === "";
            this.waiting.hidden = end !== null || text !== "";
          }

          moveTo(span) {
            if (this.current) this.current.tabIndex = -1;
            this.current = span;
            span.tabIndex = 0;
          }

          refresh() {
            const { message } = this, isLast = talk.messages.at(-1) === message;
            this.article.setAttribute("aria-label", modelName ?? "tinygpt");
            this.text.setAttribute("aria-label", say("reply"));
            this.waiting.lastChild.textContent = say("reading");
            this.showWaiting();
            this.figures = figuresOf(message);
            const buttons = [];
            if (message.end !== null && message.text) buttons.push(button("copy", { class: "plain" }, copyText(message)));
            if (message.end !== null && isLast && !talk.control && !message.trouble) {
              buttons.push(button("regenerate", { class: "plain", id: "regenerate" }, regenerate));
            }
            this.foot.replaceChildren(this.figures, make("div", { class: "actions" }, ...buttons));
            this.showTrouble(isLast);
          }

          showTrouble(isLast) {
            const { trouble } = this.message;
            this.trouble.replaceChildren();
            if (!trouble) return;
            const name = "trouble" + trouble.kind;
            const lines = [make("strong", {}, say(name in words.en ? name : "troubleServer")), trouble.words ?? ""];
            if (trouble.wait) lines.push(" " + say("waitSeconds", { seconds: trouble.wait }));
            const box = make("div", { class: "trouble", role: "alert" }, make("div", {}, ...lines));
            if (isLast && !talk.control) {
              box.append(button("tryAgain", { id: "try-again" }, trouble.kind === "Key" ? () => openKey() : regenerate));
            }
            this.trouble.append(box);
          }
        }

        function figuresOf({ text, end, trouble, figures }) {
          const parts = [];
          if (!text && end === "done") parts.push(say("nothingSaid"));
          if (!text && end === "stopped") parts.push(say("stoppedEarly"));
          if (text && figures.completion) parts.push(say("figureCompletion", { completion: count(figures.completion) }));
          if (text && figures.speed) parts.push(say("figureSpeed", { speed: figures.speed.toFixed(1) }));
          if (text && figures.first !== undefined) parts.push(say("figureFirst", { first: figures.first.toFixed(2) }));
          if (figures.prompt !== undefined) {
            parts.push(say(figures.cached ? "figureCached" : "figurePrompt",
              { prompt: count(figures.prompt), cached: count(figures.cached ?? 0) }));
          }
          if (text && end === "length") parts.push(say("figureCut"));
          if (text && end === "stopped") parts.push(say("figureStopped"));
          if (text && end === "broken" && !trouble) parts.push(say("figureBroken"));
          return make("div", { class: "figures" }, ...parts.map(part => make("span", {}, part)));
        }

        function copyText(message) {
          return async event => {
            const pressed = event.currentTarget;
            try {
              await navigator.clipboard.writeText(message.text);
            } catch {
              // Without TLS a browser has no clipboard to write to but by way of a selection.
              const field = make("textarea", { class: "spoken", readonly: true });
              field.value = message.text;
              document.body.append(field);
              field.select();
              document.execCommand("copy");
              field.remove();
              pressed.focus();
            }
            pressed.textContent = say("copied");
            speak(say("copied"));
            setTimeout(() => { pressed.textContent = say("copy"); }, 1500);
          };
        }

        // The end of the conversation stays in sight until the reader turns elsewhere.
        let followsEnd = true;
        function keepDown() {
          const scroll = byId("scroll");
          if (followsEnd) scroll.scrollTop = scroll.scrollHeight;
          byId("latest").hidden = followsEnd || scroll.scrollHeight <= scroll.clientHeight;
        }
        """#
}
