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
    public var rotary: RotarySpec?
    public var reach: Reach
    /// Whether the projections to queries, keys and values add a bias.
    public var inputBias: Bool
    /// Whether the projection of the result does.
    public var outputBias: Bool

    /// Which tokens a token sees.
    public enum Reach: Equatable, Sendable, Codable {
        /// All up to itself.
        case causal
        /// The last few up to itself.
        case causalWindow(tokens: Int)
    }

    public init(
        heads: Int, keyValueHeads: Int, headWidth: Int, scale: Float, rotary: RotarySpec?, reach: Reach = .causal,
        inputBias: Bool, outputBias: Bool
    ) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headWidth = headWidth
        self.scale = scale
        self.rotary = rotary
        self.reach = reach
        self.inputBias = inputBias
        self.outputBias = outputBias
    }
}

/// Rotation of queries and keys by their position.
///
/// Su et al. 2021, arXiv:2104.09864
public struct RotarySpec: Hashable, Sendable, Codable {
    /// Elements of a head that turn; the rest stay.
    public var width: Int
    public var pairing: Pairing
    /// θ
    public var base: Double
    public var scaling: Scaling

    public enum Pairing: String, Hashable, Sendable, Codable {
        /// Element i turns with element i + width / 2.
        case halves
        /// Element 2i turns with element 2i + 1.
        case neighbours
    }

    /// How frequencies are bent for contexts longer than the model was first trained for.
    public enum Scaling: Hashable, Sendable, Codable {
        case none
        /// Chen et al. 2023, arXiv:2306.15595.
        case linear(factor: Double)
        /// Long waves are slowed by `factor`, short ones are left, those between are blended.
        case byWavelength(factor: Double, lowFactor: Double, highFactor: Double, originalContext: Int)
        /// Peng et al. 2023, arXiv:2309.00071. `rounds`: the ends of the ramp are rounded to whole dimensions.
        case yarn(
            factor: Double, fastRotations: Double, slowRotations: Double, originalContext: Int, rounds: Bool,
            magnitude: Double)
        /// The base grows once the text is longer than the original context.
        case dynamic(factor: Double, originalContext: Int)
        /// Each frequency divided by a number that the file gives.
        case perFrequency(divisors: [Float])
    }

    public init(width: Int, pairing: Pairing, base: Double, scaling: Scaling) {
        self.width = width
        self.pairing = pairing
        self.base = base
        self.scaling = scaling
    }
}
