/// How the residual stream becomes logits.
///
///     logits = cap(table · projection(transform(scale · x)) + bias)
public struct HeadSpec: Equatable, Sendable, Codable {
    public enum Weight: String, Equatable, Sendable, Codable {
        /// The token table serves again.
        case tied
        case own
    }

    /// A dense layer with a bias, an activation and a norm in front of the table: Devlin et al. 2018, arXiv:1810.04805.
    public struct Transform: Equatable, Sendable, Codable {
        public var activation: NetworkSpec.Activation
        public var norm: NormSpec

        public init(activation: NetworkSpec.Activation, norm: NormSpec) {
            self.activation = activation
            self.norm = norm
        }
    }

    public var weight: Weight
    public var bias: Bool
    /// What the stream is multiplied by first.
    public var scale: Float
    /// Logits become `cap · tanh(logit / cap)`.
    public var cap: Float?
    /// Whether every row of the table is brought to unit length.
    public var unitRows: Bool
    public var transform: Transform?
    /// Elements of the table's rows where these are not the stream's, which is projected to them.
    public var tableWidth: Int?

    public init(
        weight: Weight, bias: Bool = false, scale: Float = 1, cap: Float? = nil, unitRows: Bool = false,
        transform: Transform? = nil, tableWidth: Int? = nil
    ) {
        self.weight = weight
        self.bias = bias
        self.scale = scale
        self.cap = cap
        self.unitRows = unitRows
        self.transform = transform
        self.tableWidth = tableWidth
    }
}

/// How the residual stream becomes one vector for the whole text or image.
///
///     y = f(W · norm(x[t]) + b)        t: which row speaks for the whole
///
/// Divided by its length where the spec says so.
public struct PoolerSpec: Equatable, Sendable, Codable {
    public enum Row: Equatable, Sendable, Codable {
        case first
        /// That of the first token with this id; the first row where there is none.
        case token(Int)
        /// That of the first token with the largest id.
        case largestToken
    }

    public enum Activation: String, Equatable, Sendable, Codable {
        case none
        case tanh
    }

    public var row: Row
    public var norm: NormSpec?
    /// Elements of the vector.
    public var width: Int
    public var bias: Bool
    public var activation: Activation
    /// Whether the vector is brought to unit length.
    public var unitLength: Bool

    public init(
        row: Row, norm: NormSpec? = nil, width: Int, bias: Bool, activation: Activation, unitLength: Bool = false
    ) {
        self.row = row
        self.norm = norm
        self.width = width
        self.bias = bias
        self.activation = activation
        self.unitLength = unitLength
    }
}
