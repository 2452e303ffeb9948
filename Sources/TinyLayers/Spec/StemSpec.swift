/// How a text or an image enters the residual stream.
public enum StemSpec: Equatable, Sendable, Codable {
    case tokens(TokenStemSpec)
    case patches(PatchStemSpec)
}

/// How tokens enter the residual stream.
///
///     x = norm(projection(scale · table[token]) + positions[p] + types[type])
public struct TokenStemSpec: Equatable, Sendable, Codable {
    public enum Positions: Equatable, Sendable, Codable {
        case none
        /// A learned vector a position, added to the token's.
        case learned(rows: Int)
    }

    public var positions: Positions
    /// What the token's vector is multiplied by.
    public var scale: Float
    /// Kinds of tokens (first or second text) that have a learned vector each; 0 where there are none.
    public var types: Int
    /// Elements of the table's vectors where these are not the stream's and are projected to it.
    public var tableWidth: Int?
    public var norm: NormSpec?
    /// Learned vectors that stand in front of every text.
    public var prefix: Int

    public init(
        positions: Positions = .none, scale: Float = 1, types: Int = 0, tableWidth: Int? = nil, norm: NormSpec? = nil,
        prefix: Int = 0
    ) {
        self.positions = positions
        self.scale = scale
        self.types = types
        self.tableWidth = tableWidth
        self.norm = norm
        self.prefix = prefix
    }
}

/// How an image enters: cut into squares, each a vector by one product, behind a learned vector for the whole.
///
///     x = norm([class; patches · Wᵀ] + positions)
///
/// Dosovitskiy et al. 2020, arXiv:2010.11929
public struct PatchStemSpec: Equatable, Sendable, Codable {
    public var channels: Int
    /// Pixels of a side of the image.
    public var image: Int
    /// Pixels of a side of a patch.
    public var patch: Int
    public var norm: NormSpec?

    public init(channels: Int, image: Int, patch: Int, norm: NormSpec?) {
        self.channels = channels
        self.image = image
        self.patch = patch
        self.norm = norm
    }

    /// Patches on a side.
    public var side: Int { image / patch }
    /// Rows of the stream: the whole and its patches.
    public var rows: Int { side * side + 1 }
}
