/// Multi-head attention, with as many or fewer heads for keys and values.
///
/// Vaswani et al. 2017, arXiv:1706.03762; Ainslie et al. 2023, arXiv:2305.13245
public struct AttentionSpec: Equatable, Sendable, Codable {
    /// H: query heads.
    public var heads: Int
    /// G: key and value heads; each serves H / G query heads.
    public var keyValueHeads: Int
    /// d
    public var headWidth: Int
    /// What scores are multiplied by before the softmax.
    public var scale: Float
    /// Where queries, keys and values come from.
    public var projection: Projection
    public var rotary: RotarySpec?
    /// What is added to scores for where a key stands.
    public var bias: PositionBias
    public var reach: Reach
    /// Norms of queries and keys.
    public var headNorm: HeadNormSpec?
    /// Queries at position p beyond this many tokens n are multiplied by ln(p + 1) / ln(n); none if nil.
    ///
    /// Chiang and Cholak 2022, arXiv:2202.12172; Su 2021, "log n attention".
    public var growsBeyond: Int?
    /// Scores become `cap · tanh(score / cap)` before the softmax: Bello et al. 2016, arXiv:1611.09940.
    public var scoreCap: Float?
    /// Whether each head has a learned score that joins the softmax and has no value: Xiao et al. 2023, arXiv:2309.17453.
    public var sinks: Bool
    /// Whether what each head found is multiplied by σ of a learned product with the layer's input.
    public var headGate: Bool
    /// Whether the projections to queries, keys and values add a bias.
    public var inputBias: Bool
    /// Whether the projection of the result does.
    public var outputBias: Bool

    public enum Projection: Equatable, Sendable, Codable {
        /// All three are products with the layer's input.
        case direct
        /// Queries are products with a learned vector for each position: Zeng et al. 2021, arXiv:2104.12369.
        case queriesOfPositions(rows: Int)
        /// By way of narrow vectors.
        case latent(LatentSpec)
    }

    /// Which tokens a token sees.
    public enum Reach: Equatable, Sendable, Codable {
        /// All up to itself.
        case causal
        /// The last few up to itself.
        case causalWindow(tokens: Int)
        /// All that are held and all that are read with it.
        case everything
    }

    public init(
        heads: Int, keyValueHeads: Int, headWidth: Int, scale: Float, projection: Projection = .direct,
        rotary: RotarySpec?, bias: PositionBias = .none, reach: Reach = .causal, headNorm: HeadNormSpec? = nil,
        growsBeyond: Int? = nil, scoreCap: Float? = nil, sinks: Bool = false, headGate: Bool = false, inputBias: Bool,
        outputBias: Bool
    ) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headWidth = headWidth
        self.scale = scale
        self.projection = projection
        self.rotary = rotary
        self.bias = bias
        self.reach = reach
        self.headNorm = headNorm
        self.growsBeyond = growsBeyond
        self.scoreCap = scoreCap
        self.sinks = sinks
        self.headGate = headGate
        self.inputBias = inputBias
        self.outputBias = outputBias
    }
}

/// Queries, keys and values by way of narrow vectors with a norm of their own; a part of each head turns, the same for
/// all heads' keys. A head is `[turning | still]`.
///
/// Multi-head latent attention: DeepSeek-AI 2024, arXiv:2405.04434
public struct LatentSpec: Equatable, Sendable, Codable {
    /// Elements of the vector that queries come from; they come from the layer's input if nil.
    public var queryRank: Int?
    /// Elements of the vector that keys and values come from.
    public var keyValueRank: Int
    /// Elements of a head that turn: the first ones. The rest of the head's width does not.
    public var turning: Int
    /// Elements of a head's value, at most those of a head.
    public var valueWidth: Int
    public var epsilon: Float

    public init(queryRank: Int?, keyValueRank: Int, turning: Int, valueWidth: Int, epsilon: Float) {
        self.queryRank = queryRank
        self.keyValueRank = keyValueRank
        self.turning = turning
        self.valueWidth = valueWidth
        self.epsilon = epsilon
    }
}

/// Norms of queries and keys: Henry et al. 2020, arXiv:2010.04245.
public struct HeadNormSpec: Equatable, Sendable, Codable {
    public enum Span: String, Equatable, Sendable, Codable {
        /// Each head by itself, all with the same weights.
        case head
        /// All heads together.
        case allHeads
    }

    public var norm: NormSpec
    public var span: Span
    /// Whether it comes after the rotation, not before it.
    public var afterRotation: Bool

    public init(norm: NormSpec, span: Span, afterRotation: Bool) {
        self.norm = norm
        self.span = span
        self.afterRotation = afterRotation
    }
}

/// What is added to scores, for each head, by where query and key stand.
public enum PositionBias: Equatable, Sendable, Codable {
    case none
    /// `slope · (key − query)`, a slope for each head: Press et al. 2021, arXiv:2108.12409.
    case linear(slopes: [Float])
    /// `factor · bf16(bf16(slope) · bf16(key))`: what the reference rounds, as far as the softmax can tell the same otherwise.
    case roundedLinear(slopes: [Float], factor: Float)
    /// Learned, by the distance's bucket: Raffel et al. 2019, arXiv:1910.10683, section 2.1.
    case buckets(BucketSpec)
}

/// Buckets of distances between a query and a key: one for each short distance, wider and wider ones beyond, half of
/// them for keys ahead. Vectors in front of the text have rows of their own.
public struct BucketSpec: Equatable, Sendable, Codable {
    /// Rows of the table for distances.
    public var buckets: Int
    /// The distance from which on all are one bucket.
    public var distance: Int
    /// Rows of the table in all.
    public var rows: Int
    /// Where there are vectors in front of the text: the row for a query of the text and a key among them, and the other
    /// way round.
    public var textToPrefix: Int
    public var prefixToText: Int

    public init(buckets: Int, distance: Int, rows: Int, textToPrefix: Int, prefixToText: Int) {
        self.buckets = buckets
        self.distance = distance
        self.rows = rows
        self.textToPrefix = textToPrefix
        self.prefixToText = prefixToText
    }
}
