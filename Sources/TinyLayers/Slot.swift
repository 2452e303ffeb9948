package import TinyTensor

/// A place for weights in a model, by what they do. Layers ask for slots; recipes say what files call them.
package enum Slot: Hashable, Sendable {
    case tokenTable
    case positionTable
    case finalNorm(Part)
    case head
    case layer(Int, LayerSlot)
}

package enum LayerSlot: Hashable, Sendable {
    case norm(NormRole, Part)
    case query(Part)
    case key(Part)
    case value(Part)
    case attentionOutput(Part)
    case gate(Part)
    case up(Part)
    case down(Part)
}

package enum Part: Hashable, Sendable {
    case weight
    case bias
}

package enum NormRole: Hashable, Sendable {
    case beforeAttention
    case afterAttention
    case onAttentionSum
    case beforeFeedForward
    case afterFeedForward
    case onFeedForwardSum
}

/// Where layers get their weights from.
package protocol WeightProvider {
    /// A matrix of exactly this shape, as stored: a table to look rows up in.
    func matrix(_ slot: Slot, rows: Int, columns: Int) throws -> Matrix
    /// A matrix of exactly this shape, ready for products.
    func weights(_ slot: Slot, rows: Int, columns: Int) throws -> Weights
    /// A vector of exactly this length.
    func vector(_ slot: Slot, count: Int) throws -> [Float]
}

extension WeightProvider {
    package func weights(_ slot: Slot, rows: Int, columns: Int) throws -> Weights {
        Weights(matrix: try matrix(slot, rows: rows, columns: columns))
    }
}
