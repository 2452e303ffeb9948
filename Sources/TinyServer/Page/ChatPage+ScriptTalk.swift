extension ChatPage {
    /// The conversation itself: what was said, what is sent, what is kept.
    static let scriptOfTalk = #"""
        // `messages` are {role, text}; a reply has besides: runs, figures, end (null while it is being written), trouble.
        const talk = { messages: [], views: [], control: null, before: null };
        let modelName = null, settings = memory.read(ofBrowser, "settings") ?? {};

        function push(message) {
          const View = message.role === "user" ? AskedView : ReplyView;
          talk.messages.push(message);
          talk.views.push(new View(message));
          byId("talk").append(talk.views.at(-1).article);
          byId("welcome").hidden = true;
          return talk.views.at(-1);
        }

        function pop() {
          talk.views.pop().article.remove();
          return talk.messages.pop();
        }

        // What was said goes along; what was not answered does not, and is marked so. Of an empty setting the server
        // decides.
        function requestOf(messages) {
          const said = messages.filter(message => message.text && !message.leftOut);
          const { system, temperature, top_p, max_tokens, seed } = settings;
          return {
            model: modelName,
            messages: [...(system ? [{ role: "system", content: system }] : []),
              ...said.map(({ role, text }) => ({ role, content: text }))],
            stream: true, stream_options: { include_usage: true }, logprobs: true, top_logprobs: 8,
            temperature, top_p, max_completion_tokens: max_tokens, seed,
          };
        }

        function send(text) {
          const last = talk.messages.at(-1);
          if (last?.role === "assistant" && !last.text) {
            pop();
            talk.messages.at(-1).leftOut = true;
            save(talk.messages.length - 1);
            talk.views.at(-1).refresh();
          }
          push({ role: "user", text });
          save(talk.messages.length - 1);
          followsEnd = true;
          reply();
        }

        function regenerate() {
          if (talk.control) return;
          followsEnd = true;
          reply(talk.messages.at(-1)?.role === "assistant" ? pop() : undefined);
          toInput();
        }

        // - previous: the reply that this one replaces; it comes back where nothing new came.
        async function reply(previous) {
          panel.close();
          const history = [...talk.messages], control = new AbortController();
          talk.control = control;
          const message = { role: "assistant", text: "", runs: [], figures: {}, end: null };
          const view = push(message), weaver = new Weaver(), clock = new Clock(), speaker = new Speaker();
          save(talk.messages.length - 1);
          refresh();
          keepDown();
          let usage = null, finish = null, savedAt = performance.now();
          function take(runs) {
            message.runs.push(...runs);
            message.text = weaver.text;
            message.figures = clock.figures(usage);
            view.show(runs, weaver.rest);
          }
          try {
            if (modelName === null) await findModel(control.signal);
            for await (const chunk of chunksOf(requestOf(history), control.signal)) {
              usage = chunk.usage ?? usage;
              const choice = chunk.choices?.[0];
              if (!choice) continue;
              const text = choice.delta?.content ?? "", tokens = choice.logprobs?.content ?? [];
              finish = choice.finish_reason ?? finish;
              if (text || tokens.length) clock.tick(tokens.length || 1);
              take(weaver.add(text, tokens.map(readToken)));
              speaker.add(text);
              if (performance.now() - savedAt > 2000) {
                save(talk.messages.indexOf(message));
                savedAt = performance.now();
              }
            }
          } catch (error) {
            if (error.name === "AbortError") finish = "stopped";
            // A stream that has said how it ends has said all.
            else if (finish === null) message.trouble = error instanceof Trouble
              ? { kind: error.kind, ...error.details } : { kind: "Unreadable", words: String(error) };
          }
          take(weaver.finish());
          message.end = message.trouble ? "broken" : ["length", "stopped"].includes(finish) ? finish : "done";
          // A new conversation may have begun meanwhile.
          if (!talk.messages.includes(message)) return;
          view.flush();
          talk.control = null;
          if (message.end !== "done" && !message.text && previous?.text) {
            pop();
            push({ ...previous, trouble: message.trouble ?? previous.trouble });
          }
          refresh();
          keepDown();
          save(talk.messages.length - 1);
          speaker.end(message);
          if (message.trouble?.kind === "Key") openKey();
        }

        // What only the last messages show, such as the button that makes a reply anew.
        function refresh() {
          for (const view of talk.views.slice(-4)) view.refresh();
          byId("send").hidden = talk.control !== null;
          byId("stop").hidden = talk.control === null;
        }

        // Time to the first token, and how fast the others came.
        class Clock {
          started = performance.now();
          first = null;
          last = null;
          early = 0;
          tokens = 0;

          tick(tokens) {
            this.last = performance.now();
            if (this.first === null) [this.first, this.early] = [this.last, tokens];
            this.tokens += tokens;
          }

          figures(usage) {
            const later = this.tokens - this.early, seconds = (this.last - this.first) / 1000;
            return {
              first: this.first === null ? undefined : (this.first - this.started) / 1000,
              speed: later > 0 && seconds > 0 ? later / seconds : undefined,
              prompt: usage?.prompt_tokens, cached: usage?.prompt_tokens_details?.cached_tokens,
              completion: usage?.completion_tokens ?? this.tokens,
            };
          }
        }

        // Reads a reply to those who hear the page, by sentences.
        class Speaker {
          text = "";

          constructor() { speak(say("replyStarts")); }

          add(text) {
            this.text += text;
            if (this.text.length > 200 || /[.!?。！？…\n]\s*$/.test(this.text)) this.tell();
          }

          tell() {
            if (this.text.trim()) speak(this.text);
            this.text = "";
          }

          end({ figures, trouble }) {
            this.tell();
            if (trouble) return;
            // Unless the reader has gone elsewhere meanwhile.
            const before = spoken, text = say("replyEnds", { completion: count(figures.completion ?? 0) });
            setTimeout(() => { if (spoken === before) speak(text); }, 1500);
          }
        }

        // Each message under its own name, so that a long conversation is not written anew with each. Where the browser
        // has no more room, candidates go, the oldest first, and the words stay.
        function save(...places) {
          memory.write(ofTab, "talk", talk.messages.length);
          for (const place of places) {
            for (let old = 0; !memory.write(ofTab, "talk." + place, talk.messages[place]) && old <= place; old++) {
              memory.write(ofTab, "talk." + old, { ...talk.messages[old], runs: undefined });
            }
          }
        }

        function forget() {
          for (let place = 0; place < talk.messages.length; place++) memory.write(ofTab, "talk." + place, null);
          memory.write(ofTab, "talk", 0);
        }

        function restore() {
          const length = memory.read(ofTab, "talk") ?? 0;
          for (let place = 0; place < length; place++) {
            const message = memory.read(ofTab, "talk." + place);
            if (typeof message?.text !== "string") break;
            if (message.role !== "user") {
              message.end ??= "stopped";
              message.figures ??= {};
              message.runs ??= message.text ? [{ text: message.text, tokens: [] }] : [];
              // The page was left while this came.
              const told = message.runs.reduce((sum, run) => sum + run.text.length, 0);
              if (told < message.text.length) message.runs.push({ text: message.text.slice(told), tokens: [] });
            }
            push(message);
          }
          refresh();
        }

        function begin(messages = []) {
          talk.control?.abort();
          forget();
          panel.close();
          [talk.messages, talk.views, talk.control] = [[], [], null];
          byId("talk").replaceChildren();
          for (const message of messages) push(message);
          save(...messages.keys());
          byId("welcome").hidden = messages.length > 0;
          refresh();
          keepDown();
        }
        """#
}
