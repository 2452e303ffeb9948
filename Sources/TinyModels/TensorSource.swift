package import TinyLayers

/// Where a slot's weights stand in a file, and what has to be undone to them.
///
/// Recipes write names as the files have them between what stands in front (a layer's "model.layers.3.") and the part
/// behind (".weight" or ".bias"); a "*" is an expert's number.
package indirect enum TensorSource: Sendable, Equatable, ExpressibleByStringLiteral {
    case named(String)
    /// A name that no part follows.
    case bare(String)
    /// A name with nothing in front and no part behind.
    case whole(String)
    /// A name with nothing in front; the part follows.
    case absolute(String)
    /// A vector of ones, which the file leaves out.
    case ones
    /// One of several matrices whose rows stand under each other in one tensor.
    case part(Int, of: [Int], TensorSource)
    /// These rows of a tensor of so many, in this order.
    case rows([Int], of: Int, TensorSource)
    /// Stored as inputs by outputs; a vector stays as it is.
    case transposed(TensorSource)
    /// Rows of each head reordered so that pairs that turn together are neighbours; undone to halves.
    case neighboursToHalves(HeadTurn, TensorSource)
    /// One expert's part of a tensor that holds those of all.
    case expert(Int, of: Int, TensorSource)
    /// A vector stored less one.
    case plusOne(TensorSource)
    /// Floats, multiplied.
    case scaled(Float, TensorSource)
    /// Floats, a vector added to each row: row `row` of another tensor.
    case added(TensorSource, row: Int, TensorSource)
    /// Four-bit codes `[…, F, D / 32, 16]`, two neighbours a byte, and a scale for each block `[…, F, D / 32]`.
    case blocks(String, scales: String)
    /// Weight and bias apart, where the one's name does not follow from the other's.
    case parts(weight: TensorSource, bias: TensorSource)
    /// More dimensions than two, the last ones joined.
    case flattened([Int], TensorSource)

    package init(stringLiteral name: String) { self = .named(name) }

    /// The tensor in the file; the first of several.
    package var name: String { names.first ?? "" }

    /// Every tensor that takes part.
    package var names: [String] {
        switch self {
        case .named(let name), .bare(let name), .whole(let name), .absolute(let name): [name]
        case .blocks(let blocks, let scales): [blocks, scales]
        case .ones: []
        case .added(let source, _, let other): source.names + other.names
        case .part(_, _, let source), .rows(_, _, let source), .transposed(let source),
            .neighboursToHalves(_, let source), .expert(_, _, let source), .plusOne(let source),
            .scaled(_, let source), .flattened(_, let source), .parts(let source, _):
            source.names
        }
    }

    /// The same with full names.
    func resolved(prefix: String, part: Part, expert: Int? = nil) -> TensorSource {
        func full(_ name: String) -> String {
            prefix
                + (expert.map { number in
                    name.split(separator: "*", omittingEmptySubsequences: false).joined(separator: "\(number)")
                } ?? name)
        }
        func next(_ source: TensorSource) -> TensorSource {
            source.resolved(prefix: prefix, part: part, expert: expert)
        }
        switch self {
        case .named(let name): return .whole(full(name) + part.suffix)
        case .bare(let name): return .whole(full(name))
        case .absolute(let name): return .whole(name + part.suffix)
        case .whole, .ones: return self
        case .part(let index, let sizes, let source): return .part(index, of: sizes, next(source))
        case .rows(let order, let count, let source): return .rows(order, of: count, next(source))
        case .transposed(let source): return .transposed(next(source))
        case .neighboursToHalves(let turn, let source): return .neighboursToHalves(turn, next(source))
        case .expert(let index, let count, let source): return .expert(expert ?? index, of: count, next(source))
        case .plusOne(let source): return part == .weight ? .plusOne(next(source)) : next(source)
        case .scaled(let factor, let source): return .scaled(factor, next(source))
        case .added(let source, let row, let other): return .added(next(source), row: row, next(other))
        case .blocks(let blocks, let scales): return .blocks(full(blocks), scales: full(scales))
        case .parts(let weight, let bias): return next(part == .weight ? weight : bias)
        case .flattened(let shape, let source): return .flattened(shape, next(source))
        }
    }
}

/// How wide heads are, and how much of each turns.
package struct HeadTurn: Sendable, Equatable {
    package let headWidth: Int
    /// Elements of a head that turn: the first ones.
    package let turning: Int

    package init(headWidth: Int, turning: Int) {
        self.headWidth = headWidth
        self.turning = turning
    }
}

extension Part {
    package var suffix: String { self == .weight ? ".weight" : ".bias" }
}
