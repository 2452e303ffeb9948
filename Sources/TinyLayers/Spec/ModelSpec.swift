/// The whole architecture of a model as a value: what a recipe makes of a configuration, and all that layers know.
///
/// Every number is filled in and every layer listed, so alternating windows or leading dense layers are data. Only
/// weights are missing.
public struct ModelSpec: Equatable, Sendable, Codable {
    /// V: rows of the token table, and logits; 0 where there are no tokens.
    public var vocabulary: Int
    /// D: the residual stream's width.
    public var width: Int
    /// Positions the model was made for.
    public var context: Int
    public var stem: StemSpec
    public var layers: [LayerSpec]
    public var finalNorm: NormSpec?
    /// How the stream becomes logits, where it does.
    public var head: HeadSpec?
    /// How it becomes one vector for the whole text, where it does.
    public var pooler: PoolerSpec?

    public init(
        vocabulary: Int, width: Int, context: Int, stem: StemSpec, layers: [LayerSpec], finalNorm: NormSpec?,
        head: HeadSpec?, pooler: PoolerSpec? = nil
    ) {
        self.vocabulary = vocabulary
        self.width = width
        self.context = context
        self.stem = stem
        self.layers = layers
        self.finalNorm = finalNorm
        self.head = head
        self.pooler = pooler
    }

    /// Whether tokens see those that come after them, so that a text has to be read in one pass.
    public var seesAhead: Bool { layers.contains { $0.attention.reach == .everything } }
}

/// One layer: attention and a feed-forward network, and how both join the residual stream.
public struct LayerSpec: Equatable, Sendable, Codable {
    public var wiring: WiringSpec
    public var attention: AttentionSpec
    public var feedForward: FeedForwardSpec
    /// Whether the layer has the one branch and the other: models were made smaller by cutting some of them out. What is
    /// said of one that is not there goes for nothing.
    public var hasAttention: Bool
    public var hasFeedForward: Bool
    /// What each branch is multiplied by before it is added.
    public var branchScale: Float
    /// What the sum of stream and branch is multiplied by.
    public var sumScale: Float

    public init(
        wiring: WiringSpec, attention: AttentionSpec, feedForward: FeedForwardSpec, branchScale: Float = 1,
        sumScale: Float = 1, hasAttention: Bool = true, hasFeedForward: Bool = true
    ) {
        self.wiring = wiring
        self.attention = attention
        self.feedForward = feedForward
        self.hasAttention = hasAttention
        self.hasFeedForward = hasFeedForward
        self.branchScale = branchScale
        self.sumScale = sumScale
    }
}

/// How a layer's two branches join the residual stream.
public enum WiringSpec: Equatable, Sendable, Codable {
    /// First attention, then feed-forward: `x ← onStream(x)`, then `x ← onSum(x + after(f(before(x))))`.
    case sequential(attention: NormPlacement, feedForward: NormPlacement)
    /// Both at once: `x ← x + attention(n₁(x)) + feedForward(n₂(x))`; n₂ = n₁ where none is given.
    case parallel(attention: NormSpec, feedForward: NormSpec?)

    /// The same norms around both branches.
    public static func sequential(_ both: NormPlacement) -> WiringSpec {
        .sequential(attention: both, feedForward: both)
    }
}

/// The norms around one branch.
public struct NormPlacement: Equatable, Sendable, Codable {
    /// Of the stream itself, so that what the branch is added to is normed as well.
    public var onStream: NormSpec?
    public var before: NormSpec?
    public var after: NormSpec?
    public var onSum: NormSpec?

    public init(
        onStream: NormSpec? = nil, before: NormSpec? = nil, after: NormSpec? = nil, onSum: NormSpec? = nil
    ) {
        self.onStream = onStream
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
