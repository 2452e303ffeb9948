package import TinyTensor

/// A place for weights in a model, by what they do. Layers ask for slots; recipes say what files call them.
package enum Slot: Hashable, Sendable {
    case model(ModelSlot, Part)
    case layer(Int, LayerSlot, Part)
    /// A matrix of one of a layer's experts.
    case expert(layer: Int, expert: Int, Projection, Part)
}

package enum ModelSlot: Hashable, Sendable {
    case tokenTable
    case positionTable
    /// Vectors for kinds of tokens.
    case typeTable
    case stemNorm
    /// From the token table's width to the stream's.
    case stemProjection
    /// Vectors in front of every text, `[P, D]`.
    case prefix
    /// What is added to scores, `[buckets, H]`.
    case positionBias
    /// From the pixels of a patch to the stream, `[D, channels · patch²]`.
    case patches
    /// The vector for the whole of an image, `[1, D]`.
    case classVector
    case finalNorm
    /// From the stream's width to the head's table's.
    case headProjection
    case headTransform
    case headNorm
    case head
    case poolerNorm
    case pooler
}

package enum LayerSlot: Hashable, Sendable {
    case norm(NormRole)
    case query
    case key
    case value
    case attentionOutput
    case queryNorm
    case keyNorm
    /// A score for each head, `[H]`.
    case sinks
    case headGate
    /// What queries are products with instead of the stream, `[positions, D]`.
    case queryPositions
    case latent(LatentSlot)
    /// The one network of a layer without experts.
    case network(Projection)
    /// Any expert's: what recipes name; layers ask for `Slot.expert`.
    case expert(Projection)
    case shared(Projection)
    case sharedGate
    case router
    /// What is added to the router's scores for the choice, `[E]`.
    case choiceBias
}

package enum Projection: Hashable, Sendable {
    case gate
    case up
    case down
}

package enum LatentSlot: Hashable, Sendable {
    case queryDown
    case queryNorm
    /// `[H · d, rank or D]`, each head's turning elements first.
    case queryUp
    case keyValueDown
    case keyValueNorm
    /// The turning elements of all heads' keys, `[turning, D]`.
    case turningKey
    /// `[H · still, rank]`
    case keyUp
    /// `[H · valueWidth, rank]`
    case valueUp
}

package enum Part: Hashable, Sendable {
    case weight
    case bias
}

package enum NormRole: Hashable, Sendable {
    case onAttentionStream
    case beforeAttention
    case afterAttention
    case onAttentionSum
    case onFeedForwardStream
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
