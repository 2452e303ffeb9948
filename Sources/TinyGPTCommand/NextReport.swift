import TinyGPT

/// What `next --json` prints.
struct NextReport: Encodable {
    struct Row: Encodable {
        let id: Int
        let piece: String
        let probability: Float
        let logit: Float
        /// Where the token is not made of whole characters.
        let bytes: [UInt8]?

        init(_ candidate: Candidate, _ tokenizer: Tokenizer) {
            (id, probability, logit) = (candidate.token, candidate.probability, candidate.logit)
            piece = tokenizer.text(of: id)
            bytes = tokenizer.partialBytes(of: id)
        }
    }

    struct View: Encodable {
        /// Nil for the model's own.
        let layer: Int?
        let entropy: Double
        let candidates: [Row]

        init(_ prediction: Prediction, layer: Int? = nil, _ tokenizer: Tokenizer) {
            self.layer = layer
            entropy = prediction.entropy
            candidates = prediction.candidates.map { Row($0, tokenizer) }
        }
    }

    /// A token of the text, or one that was chosen.
    struct Token: Encodable {
        let id: Int
        let piece: String
        let bytes: [UInt8]?
        let score: TokenScore?
        /// ln p of the scored tokens up to this one.
        let total: Double
        let expected: View?
        let lens: [View]?

        private enum Key: String, CodingKey {
            case id, piece, bytes, probability, log_probability, rank, entropy, candidates, lens
            case text_log_probability, text_probability
        }

        /// Of a token without a score, keys of the score are there as null.
        func encode(to encoder: any Swift.Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(id, forKey: .id)
            try container.encode(piece, forKey: .piece)
            try container.encodeIfPresent(bytes, forKey: .bytes)
            try container.encode(score?.probability, forKey: .probability)
            try container.encode(score?.logProbability, forKey: .log_probability)
            try container.encode(score?.rank, forKey: .rank)
            try container.encode(total, forKey: .text_log_probability)
            try container.encode(total.exponential, forKey: .text_probability)
            try container.encode(expected?.entropy, forKey: .entropy)
            try container.encode(expected?.candidates, forKey: .candidates)
            try container.encodeIfPresent(lens, forKey: .lens)
        }
    }

    struct Head: Encodable {
        let layer: Int
        let head: Int
        let weights: [[Float]]
        let elsewhere: [Float]?
    }

    let candidates: [Row]
    let tokens: [Token]?
    let scored_tokens: Int?
    let log_probability: Double?
    let mean_log_probability: Double?
    let perplexity: Double?
    let steps: [Token]?
    let text: String?
    let stop_reason: StopReason?
    let lens: [View]?
    let attention: [Head]?

    /// - Parameter isScored: whether it is about the text, not about what comes behind it.
    init(_ trace: Trace, _ tokenizer: Tokenizer, isScored: Bool) {
        let given = trace.tokens.count { !$0.isChosen }
        let last = trace.tokens[given - 1]
        candidates = last.next?.candidates.map { Row($0, tokenizer) } ?? []
        func views(_ predictions: [Prediction]) -> [View] {
            zip(predictions, trace.lensLayers).map { View($0, layer: $1, tokenizer) }
        }
        func tokens(_ range: Range<Int>) -> [Token] {
            var total = 0.0
            return range.map { index in
                let token = trace.tokens[index]
                total += token.score?.logProbability ?? 0
                return Token(
                    id: token.id, piece: tokenizer.text(of: token.id), bytes: tokenizer.partialBytes(of: token.id),
                    score: token.score, total: total,
                    expected: token.score == nil ? nil : trace.expected(at: index).map { View($0, tokenizer) },
                    lens: trace.lensLayers.isEmpty || index == 0 ? nil : views(trace.tokens[index - 1].lens))
            }
        }
        let scores = trace.tokens[..<given].compactMap(\.score?.logProbability)
        let sum = scores.reduce(0, +)
        self.tokens = isScored ? tokens(0..<given) : nil
        scored_tokens = isScored ? scores.count : nil
        log_probability = isScored ? sum : nil
        mean_log_probability = isScored && !scores.isEmpty ? sum / Double(scores.count) : nil
        perplexity = mean_log_probability.map { (-$0).exponential }
        let walked = trace.stopReason != nil
        steps = walked ? tokens(given..<trace.tokens.count) : nil
        text = walked ? try? tokenizer.decode(trace.tokens[given...].map(\.id)) : nil
        stop_reason = trace.stopReason
        lens = trace.lensLayers.isEmpty ? nil : views(last.lens)
        attention =
            trace.attention.isEmpty
            ? nil
            : trace.attention.flatMap { map in
                (0..<map.heads).map { head in
                    Head(
                        layer: map.layer, head: head + 1,
                        weights: (0..<map.count).map { map.weights(head: head, token: $0) },
                        elsewhere: map.hasElsewhere
                            ? (0..<map.count).map { map.elsewhere(head: head, token: $0) } : nil)
                }
            }
    }
}

extension Tokenizer {
    /// Ids beyond the vocabulary are padding that some models have.
    func text(of token: Int) -> String { (try? decode([token])) ?? "" }

    /// The bytes of a token that ends or begins inside a character; nil for all others.
    func partialBytes(of token: Int) -> [UInt8]? {
        let bytes = pieceInside(token)
        return String(validating: bytes, as: UTF8.self) == nil ? bytes : nil
    }
}
