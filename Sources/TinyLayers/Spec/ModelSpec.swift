/// The whole architecture of a model as a value: what a recipe makes of a configuration, and all that layers know.
///
/// Every number is filled in and every layer listed, so alternating windows or leading dense layers are data. Only
/// weights are missing.
public struct ModelSpec: Equatable, Sendable, Codable {
    /// V: rows of the token table, and logits.
    public var vocabulary: Int
    /// D: the residual stream's width.
    public var width: Int
    /// Positions the model was made for.
    public var context: Int
    public var stem: StemSpec
    public var layers: [LayerSpec]
    public var finalNorm: NormSpec?
    public var head: HeadSpec

    public init(
        vocabulary: Int, width: Int, context: Int, stem: StemSpec, layers: [LayerSpec], finalNorm: NormSpec?,
        head: HeadSpec
    ) {
        self.vocabulary = vocabulary
        self.width = width
        self.context = context
        self.stem = stem
        self.layers = layers
        self.finalNorm = finalNorm
        self.head = head
    }
}

/// How tokens enter the residual stream.
public struct StemSpec: Equatable, Sendable, Codable {
    public enum Positions: Equatable, Sendable, Codable {
        case none
        /// A learned vector a position, added to the token's.
        case learned(rows: Int)
    }

    public var positions: Positions

    public init(positions: Positions) { self.positions = positions }
}

/// How the residual stream becomes logits.
public struct HeadSpec: Equatable, Sendable, Codable {
    public enum Weight: String, Equatable, Sendable, Codable {
        /// The token table serves again.
        case tied
        case own
    }

    public var weight: Weight

    public init(weight: Weight) { self.weight = weight }
}

/// One layer: attention and a feed-forward network, and how both join the residual stream.
public struct LayerSpec: Equatable, Sendable, Codable {
    public var wiring: WiringSpec
    public var attention: AttentionSpec
    public var feedForward: FeedForwardSpec

    public init(wiring: WiringSpec, attention: AttentionSpec, feedForward: FeedForwardSpec) {
        self.wiring = wiring
        self.attention = attention
        self.feedForward = feedForward
    }
}

/// How a layer's two branches join the residual stream.
public enum WiringSpec: Equatable, Sendable, Codable {
    /// First attention, then feed-forward: `x ← onSum(x + after(f(before(x))))`.
    case sequential(attention: NormPlacement, feedForward: NormPlacement)
    /// Both at once: `x ← x + attention(n₁(x)) + feedForward(n₂(x))`; n₂ = n₁ where none is given.
    case parallel(attention: NormSpec, feedForward: NormSpec?)
}

/// The norms around one branch.
public struct NormPlacement: Equatable, Sendable, Codable {
    public var before: NormSpec?
    public var after: NormSpec?
    public var onSum: NormSpec?

    public init(before: NormSpec? = nil, after: NormSpec? = nil, onSum: NormSpec? = nil) {
        self.before = before
        self.after = after
        self.onSum = onSum
    }
}

public enum NormSpec: Equatable, Sendable, Codable {
    /// Ba et al. 2016, arXiv:1607.06450.
    case layer(epsilon: Float, bias: Bool)
    /// Zhang and Sennrich 2019, arXiv:1910.07467.
    case rms(epsilon: Float)
}
