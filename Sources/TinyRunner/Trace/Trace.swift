/// A text as a model sees it, token by token: how likely each was, what was expected in its place, and why.
///
/// ```swift
/// let trace = try model.trace("The capital of France is Paris.", TraceOptions(lens: [0, 15, 30]))
/// for token in trace.tokens { print(token.id, token.score?.probability ?? 1) }
/// ```
public struct Trace: Sendable {
    public struct Token: Sendable {
        public let id: Int
        /// Whether it was the model that chose it.
        public let isChosen: Bool
        /// How likely it was; nil for a text's first token, and where that was not asked.
        public internal(set) var score: TokenScore?
        /// What is expected behind it; nil where that was not asked, or the context is full.
        public internal(set) var next: Prediction?
        /// The same if the model stopped after each of `lensLayers`.
        public internal(set) var lens: [Prediction] = []
    }

    public internal(set) var tokens: [Token]
    /// The layers that were looked through, in ascending order.
    public let lensLayers: [Int]
    /// In the order of their layers.
    public internal(set) var attention: [AttentionMap]
    /// Why the walk ended; nil if there was none.
    public internal(set) var stopReason: StopReason?

    /// What is expected behind the whole text.
    public var next: Prediction? { tokens.last?.next }

    /// What was expected in the place of a token.
    public func expected(at index: Int) -> Prediction? { index > 0 ? tokens[index - 1].next : nil }

    /// Tokens that have a score.
    public var scoredCount: Int { tokens.count { $0.score != nil } }

    /// ln p of all tokens that have a score together: of those a walk chose alone, given the text, if it was not scored.
    public var logProbability: Double { tokens.reduce(0) { $0 + ($1.score?.logProbability ?? 0) } }

    /// exp(−ln p / n) over the n tokens that have a score; nil if none has.
    public var perplexity: Double? {
        let count = scoredCount
        return count == 0 ? nil : exponential(-logProbability / Double(count))
    }
}

/// Which tokens the heads of a layer looked at.
public struct AttentionMap: Sendable {
    /// From 1 on.
    public let layer: Int
    /// H
    public let heads: Int
    /// `[H][T]`, each as many weights as the token sees others, itself among them.
    private var rows: [[[Float]]]
    /// Whether something that is no token of the text takes part: a head's sink, or vectors in front of the text.
    public let hasElsewhere: Bool

    init(layer: Int, heads: Int, hasElsewhere: Bool) {
        self.layer = layer
        self.heads = heads
        self.hasElsewhere = hasElsewhere
        rows = Array(repeating: [], count: heads)
    }

    /// Tokens that have looked.
    public var count: Int { rows.first?.count ?? 0 }

    /// How a head weighed the tokens when it came to one: `weights[s]` for token s. What lacks to 1 went elsewhere.
    ///
    /// - Parameter head: from 0 on.
    public func weights(head: Int, token: Int) -> [Float] { rows[head][token] }

    /// What went to a head's sink, or to vectors in front of the text.
    public func elsewhere(head: Int, token: Int) -> Float {
        hasElsewhere ? Float(max(0, 1 - rows[head][token].reduce(0) { $0 + Double($1) })) : 0
    }

    /// Takes `[H, T, C]`, whose first columns are of the vectors in front of the text.
    mutating func append(_ weights: Span<Float>, shape: [Int], positions: [Int], prefix: Int, seesAhead: Bool) {
        for head in 0..<heads {
            for (t, position) in positions.enumerated() {
                let start = (head * shape[1] + t) * shape[2]
                let end = seesAhead ? shape[2] : prefix + position + 1
                rows[head].append((prefix..<end).map { weights[start + $0] })
            }
        }
    }
}
