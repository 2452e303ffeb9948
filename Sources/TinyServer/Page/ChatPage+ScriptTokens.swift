extension ChatPage {
    /// Tokens and their bytes. A piece is its text, or the list of its bytes where these are no whole characters.
    static let scriptOfTokens = #"""
        const encoder = new TextEncoder();
        const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
        const loose = new TextDecoder("utf-8", { ignoreBOM: true });

        const bytesOf = piece => typeof piece === "string" ? encoder.encode(piece) : Uint8Array.from(piece);
        function joined(pieces) {
          const bytes = pieces.flatMap(piece => [...bytesOf(piece)]);
          return Uint8Array.from(bytes);
        }
        function textOf(bytes) {
          try { return strict.decode(bytes); } catch { return null; }
        }

        // A token as the server tells of it: its piece, its log-probability, and the candidates with theirs.
        function readPiece(entry) {
          if (!Array.isArray(entry.bytes)) return String(entry.token ?? "");
          return textOf(Uint8Array.from(entry.bytes)) ?? entry.bytes;
        }
        // JSON has no infinity; this is as little.
        const readScore = entry => Number.isFinite(entry.logprob) ? entry.logprob : -9999;
        const readToken = entry => ({
          piece: readPiece(entry), score: readScore(entry),
          candidates: (entry.top_logprobs ?? []).map(other => [readPiece(other), readScore(other)]),
        });

        // Whether bytes end inside a character.
        function endsInside(bytes) {
          for (let back = 1; back <= Math.min(3, bytes.length); back++) {
            const byte = bytes[bytes.length - back];
            if (byte < 0x80 || byte >= 0xF8) return false;
            if (byte >= 0xC0) return (byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2) > back;
          }
          return false;
        }

        // Joins the text of a reply with the tokens it came from. A run is a token, or those that make a character
        // together; text that no token accounts for is a run without tokens. What the text says counts: a server may
        // leave out the end of a stop sequence, or hold it back for a while.
        class Weaver {
          text = "";
          covered = 0;
          waiting = [];
          open = [];

          // The runs that are settled by what came.
          add(text, tokens) {
            this.text += text;
            for (const token of tokens) {
              this.open.push(token);
              if (!endsInside(joined(this.open.map(part => part.piece)))) this.close();
            }
            return this.settle(false);
          }

          finish() {
            if (this.open.length) this.close();
            const runs = this.settle(true);
            if (this.covered < this.text.length) runs.push(this.cover(this.text.length - this.covered, []));
            return runs;
          }

          // What no run shows yet.
          get rest() { return this.text.slice(this.covered); }

          close() {
            this.waiting.push({ text: loose.decode(joined(this.open.map(part => part.piece))), tokens: this.open });
            this.open = [];
          }

          cover(length, tokens) {
            const text = this.text.slice(this.covered, this.covered + length);
            this.covered += length;
            return { text, tokens };
          }

          settle(atEnd) {
            const runs = [];
            while (this.waiting.length) {
              const { text, tokens } = this.waiting[0], rest = this.text.slice(this.covered, this.covered + 2 * text.length + 80);
              if (rest.startsWith(text)) {
                if (text) runs.push(this.cover(text.length, tokens));
              } else if (text.startsWith(rest) && !atEnd) {
                break;
              } else if (text.startsWith(rest)) {
                if (rest) runs.push(this.cover(rest.length, tokens));
              } else if (this.covered === 0 && text.startsWith(" ") && rest.startsWith(text.slice(1))) {
                // A reply begins without the space that its first token carries.
                if (text.length > 1) runs.push(this.cover(text.length - 1, tokens));
              } else if (rest.includes(text)) {
                runs.push(this.cover(rest.indexOf(text), []), this.cover(text.length, tokens));
              }
              this.waiting.shift();
            }
            return runs;
          }
        }

        // Steps of probability, the likeliest first.
        const steps = [
          [0.5, "≥ 50%"], [0.2, "20 – 50%"], [0.05, "5 – 20%"], [0.01, "1 – 5%"], [0.001, "0.1 – 1%"], [0, "< 0.1%"]];
        const stepOf = p => steps.findIndex(([least]) => p >= least);
        const probability = run => Math.exp(run.tokens.reduce((sum, token) => sum + token.score, 0));
        """#
}
