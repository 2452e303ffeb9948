import TinyTokenizer

extension TracePage {
    /// All that the page shows, as JSON. Texts of tokens stand in one table.
    func data() -> String {
        let pieces = tokenizer.pieces(trace.tokens.map(\.id))
        var json = ScriptText()
        json.object([
            "title": { $0.write(title) },
            "perplexity": { write(trace.perplexity, &$0, digits: 3) },
            "logProbability": { $0.write(trace.logProbability, digits: 3) },
            "scored": { $0.write(trace.scoredCount) },
            "pieces": { writePieces(&$0) },
            "runs": { json in
                json.list(Tokenizer.runs(pieces)) { json, run in
                    json.object([
                        "from": { $0.write(run.lowerBound) }, "to": { $0.write(run.upperBound) },
                        "text": { $0.write(Tokenizer.readable(Array(pieces[run].joined()))) },
                    ])
                }
            },
            "tokens": { json in
                json.list(zip(trace.tokens, pieces)) { write($1.0, Tokenizer.readable($1.1), &$0) }
            },
            "lensLayers": { $0.list(trace.lensLayers) { $0.write($1) } },
            "attention": { $0.list(trace.attention) { write($1, &$0) } },
        ])
        return json.text
    }

    /// `{id: text}` of every token that is shown as a candidate.
    private func writePieces(_ json: inout ScriptText) {
        var ids: Set<Int> = []
        for token in trace.tokens {
            for prediction in [token.next].compactMap(\.self) + token.lens {
                ids.formUnion(prediction.candidates.map(\.token))
            }
        }
        json.list(ids.sorted()) { json, id in
            json.object([
                "id": { $0.write(id) }, "text": { $0.write(Tokenizer.readable(tokenizer.pieceInside(id))) },
            ])
        }
    }

    private func write(_ token: Trace.Token, _ text: String, _ json: inout ScriptText) {
        json.object([
            "id": { $0.write(token.id) },
            "text": { $0.write(text) },
            "special": { $0.write(tokenizer.isSpecial(token.id)) },
            "chosen": { $0.write(token.isChosen) },
            "p": { write(token.score?.probability, &$0, digits: 6) },
            "rank": { json in
                if let score = token.score { json.write(score.rank) } else { json.writeNull() }
            },
            "next": { json in
                if let next = token.next { write(next, &json) } else { json.writeNull() }
            },
            "lens": { $0.list(token.lens) { write($1, &$0) } },
        ])
    }

    /// `[entropy, id, p, id, p, …]`
    private func write(_ prediction: Prediction, _ json: inout ScriptText) {
        let numbers = prediction.candidates.flatMap { [Double($0.token), Double($0.probability)] }
        json.list([prediction.entropy] + numbers) { $0.write($1, digits: 5) }
    }

    /// The rows of each head: `[token, weight in thousandths, …]`, the heaviest first.
    private func write(_ map: AttentionMap, _ json: inout ScriptText) {
        json.object([
            "layer": { $0.write(map.layer) },
            "heads": { json in
                json.list(0..<map.heads) { json, head in
                    json.list(0..<map.count) { json, token in
                        let weights = map.weights(head: head, token: token)
                        let kept = LargestLogits(Self.weightsOfRow, of: weights.span).entries
                            .filter { $0.logit >= Self.leastWeight }
                        json.list(kept.flatMap { [$0.token, Int(($0.logit * 1000).rounded())] }) { $0.write($1) }
                    }
                }
            },
            "elsewhere": { json in
                if !map.hasElsewhere { return json.writeNull() }
                json.list(0..<map.heads) { json, head in
                    json.list(0..<map.count) {
                        $0.write(Int((map.elsewhere(head: head, token: $1) * 1000).rounded()))
                    }
                }
            },
        ])
    }

    private func write(_ number: Double?, _ json: inout ScriptText, digits: Int) {
        if let number { json.write(number, digits: digits) } else { json.writeNull() }
    }
}
