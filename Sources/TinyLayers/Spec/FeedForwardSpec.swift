/// The second half of a layer: one feed-forward network for every token, or a choice of many.
public enum FeedForwardSpec: Equatable, Sendable, Codable {
    case dense(NetworkSpec)
    case mixture(MixtureSpec)
}

/// A feed-forward network.
public struct NetworkSpec: Equatable, Sendable, Codable {
    public enum Form: Equatable, Sendable, Codable {
        /// `down(f(up(x)))`
        case plain
        /// `down(f(gate(x)) · up(x))`: Shazeer 2020, arXiv:2002.05202.
        case gated
        /// `down(f(stretch · min(gate(x), limit)) / stretch · (clip(up(x), ±limit) + 1))`
        case clampedGate(limit: Float, stretch: Float)
    }

    public enum Activation: String, Equatable, Sendable, Codable, CaseIterable {
        case silu
        /// With the error function.
        case gelu
        /// With the hyperbolic tangent that approximates it.
        case geluTanh
        /// `x · σ(1.702 x)`, which approximates it as well.
        case geluQuick
        case relu
    }

    public var form: Form
    /// F
    public var hidden: Int
    public var activation: Activation
    public var bias: Bool

    public init(form: Form, hidden: Int, activation: Activation, bias: Bool) {
        self.form = form
        self.hidden = hidden
        self.activation = activation
        self.bias = bias
    }
}

/// Many networks of which a router chooses a few for each token.
///
///     y = scale · Σ_e weight_e · expert_e(x) + shared(x)      over the chosen e
///
/// Shazeer et al. 2017, arXiv:1701.06538; Fedus et al. 2021, arXiv:2101.03961; groups and a bias that only chooses:
/// DeepSeek-AI 2024, arXiv:2412.19437
public struct MixtureSpec: Equatable, Sendable, Codable {
    public enum Scores: String, Equatable, Sendable, Codable {
        /// Softmax over all experts' logits.
        case softmax
        /// Softmax over those of the chosen ones.
        case softmaxOfChosen
        /// The logistic function of each.
        case sigmoid
    }

    /// What the weights of the chosen are divided by.
    public enum Normalization: Equatable, Sendable, Codable {
        case none
        /// Their sum plus a little.
        case sum(plus: Float)
        /// Their sum, or this where that is less.
        case sumAtLeast(Float)
    }

    /// Groups of experts, all of one size: those outside the best groups are not chosen.
    public struct Groups: Equatable, Sendable, Codable {
        public var count: Int
        public var chosen: Int

        public init(count: Int, chosen: Int) {
            self.count = count
            self.chosen = chosen
        }
    }

    /// A network that takes part for every token.
    public struct Shared: Equatable, Sendable, Codable {
        public var network: NetworkSpec
        /// Whether it is multiplied by σ of a learned product with the input.
        public var isGated: Bool

        public init(network: NetworkSpec, isGated: Bool) {
            self.network = network
            self.isGated = isGated
        }
    }

    /// E
    public var experts: Int
    /// K
    public var chosen: Int
    public var expert: NetworkSpec
    public var scores: Scores
    public var normalization: Normalization
    public var scale: Float
    /// Whether the router adds a bias to its logits.
    public var routerBias: Bool
    /// Whether a bias is added to scores for the choice alone.
    public var choiceBias: Bool
    public var groups: Groups?
    public var shared: Shared?

    public init(
        experts: Int, chosen: Int, expert: NetworkSpec, scores: Scores = .softmax,
        normalization: Normalization = .none, scale: Float = 1, routerBias: Bool = false, choiceBias: Bool = false,
        groups: Groups? = nil, shared: Shared? = nil
    ) {
        self.experts = experts
        self.chosen = chosen
        self.expert = expert
        self.scores = scores
        self.normalization = normalization
        self.scale = scale
        self.routerBias = routerBias
        self.choiceBias = choiceBias
        self.groups = groups
        self.shared = shared
    }
}
