package import TinyTensor

/// A model's layers with their weights: token ids in, logits out. Immutable and shared; what changes is passed in.
package struct Transformer: Sendable {
    package let spec: ModelSpec
    private let stem: TokenStem
    private let blocks: [Block]
    private let finalNorm: Norm?
    /// `[V, D]`
    private let head: Weights

    /// - Throws: what `weights` throws where one is missing or has another shape.
    package init(spec: ModelSpec, weights: some WeightProvider) throws {
        self.spec = spec
        stem = try TokenStem(spec, from: weights)
        blocks = try spec.layers.enumerated().map { layer, layerSpec in
            try Block(layerSpec, layer: layer, width: spec.width, from: weights)
        }
        finalNorm = try spec.finalNorm.map { try Norm($0, Slot.finalNorm, width: spec.width, from: weights) }
        switch spec.head.weight {
        case .tied: head = try weights.weights(.tokenTable, rows: spec.vocabulary, columns: spec.width)
        case .own: head = try weights.weights(.head, rows: spec.vocabulary, columns: spec.width)
        }
    }

    /// For which tokens of a pass logits are computed.
    package enum LogitRows: Sendable {
        case none
        case last
        case all
    }

    /// What a probe is shown.
    package enum Point: Sendable, Equatable {
        /// The residual stream after layer N; 0 is after the stem.
        case stream(Int)
        /// What the head is applied to.
        case final
    }

    /// Reads tokens behind those in the cache, and returns logits for some of them.
    ///
    /// - Parameters:
    ///   - tokens: T ids, each less than V.
    ///   - length: tokens of the text that is being read as a whole, for scalings that go by it; T and C at least.
    ///   - probe: shown rows `[T, D]` at each point.
    /// - Returns: `[T or 1 or 0, V]`, valid until the next pass with this scratch.
    /// - Precondition: the tokens fit the cache, the scratch and the vocabulary.
    package func forward(
        _ tokens: UnsafeBufferPointer<Int>, length: Int, logits wanted: LogitRows, phase: Phase, compute: Compute,
        cache: KeyValueCache, scratch: Scratch, probe: ((Point, Rows) -> Void)? = nil
    ) -> Rows {
        precondition(tokens.count <= scratch.rows, "\(tokens.count) tokens in a scratch for \(scratch.rows)")
        let context = ForwardContext(compute: compute, phase: phase, scratch: scratch, cache: cache)
        let x = scratch.stream.rows(tokens.count, width: spec.width)
        stem(tokens, first: cache.count, into: x)
        probe?(.stream(0), x)
        scratch.prepareRotaryTables(first: cache.count, count: tokens.count, length: length)
        for (layer, block) in blocks.enumerated() {
            block(x, context)
            probe?(.stream(layer + 1), x)
        }
        cache.advance(by: tokens.count)

        let rows: Rows
        switch wanted {
        case .none: rows = x.slice(x.count..<x.count)
        case .last: rows = x.slice(x.count - 1..<x.count)
        case .all: rows = x
        }
        precondition(
            rows.count <= scratch.logitRows, "\(rows.count) rows of logits in a scratch for \(scratch.logitRows)")
        let logits = scratch.logits.rows(rows.count, width: spec.vocabulary)
        if rows.count > 0 {
            finalNorm?(rows, into: rows, compute)
            probe?(.final, rows)
            context.multiply(rows, by: Product(head, into: logits))
        }
        return logits
    }
}
