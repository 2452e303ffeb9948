package import TinyLayers

/// Where a slot's weights stand in a file, and what has to be undone to them.
package indirect enum TensorSource: Sendable {
    case named(String)
    /// One of several matrices whose rows stand under each other in one tensor.
    case part(Int, of: [Int], TensorSource)
    /// Stored as inputs by outputs; a vector stays as it is.
    case transposed(TensorSource)
    /// Rows of each head reordered so that pairs that turn together are neighbours; undone to halves.
    case neighboursToHalves(HeadTurn, TensorSource)

    /// The tensor in the file.
    package var name: String {
        switch self {
        case .named(let name): name
        case .part(_, _, let source), .transposed(let source), .neighboursToHalves(_, let source): source.name
        }
    }
}

/// How wide heads are, and how much of each turns.
package struct HeadTurn: Sendable {
    package let headWidth: Int
    /// Elements of a head that turn: the first ones.
    package let turning: Int

    package init(headWidth: Int, turning: Int) {
        self.headWidth = headWidth
        self.turning = turning
    }
}

/// A recipe's answer to where each slot's weights are.
package struct NameMap: Sendable {
    /// nil if the family has no such weights.
    package let source: @Sendable (Slot) -> TensorSource?
    /// Tensors that files carry and inference does not need, by the end of their names.
    package let harmlessSuffixes: [String]

    package init(harmlessSuffixes: [String] = [], source: @escaping @Sendable (Slot) -> TensorSource?) {
        self.source = source
        self.harmlessSuffixes = harmlessSuffixes
    }
}

extension Part {
    package var suffix: String { self == .weight ? ".weight" : ".bias" }
}
