import CTinyKernels
package import TinyTensor

/// A model's layers with their weights: token ids or pixels in, logits or one vector out. Immutable and shared; what
/// changes is passed in.
package struct Transformer: Sendable {
    package let spec: ModelSpec
    let stem: Stem
    private let blocks: [Block]
    let finalNorm: Norm?
    let head: Head?
    let pooler: Pooler?
    /// What layers add to scores by distance, `[rows, H]`.
    private let positionBias: [Float]?

    enum Stem: Sendable {
        case tokens(TokenStem)
        case patches(PatchStem)
    }

    /// - Throws: what `weights` throws where one is missing or has another shape.
    package init(spec: ModelSpec, weights: some WeightProvider) throws {
        self.spec = spec
        switch spec.stem {
        case .tokens(let tokens): stem = .tokens(try TokenStem(tokens, spec, from: weights))
        case .patches(let patches): stem = .patches(try PatchStem(patches, width: spec.width, from: weights))
        }
        blocks = try spec.layers.enumerated().map { layer, layerSpec in
            try Block(layerSpec, layer: layer, width: spec.width, from: weights)
        }
        finalNorm = try spec.finalNorm.map {
            try Norm($0, { .model(.finalNorm, $0) }, width: spec.width, from: weights)
        }
        head = try spec.head.map { try Head($0, spec, from: weights) }
        pooler = try spec.pooler.map { try Pooler($0, width: spec.width, from: weights) }
        positionBias = try spec.layers.lazy.compactMap { layer -> (rows: Int, heads: Int)? in
            if case .buckets(let buckets) = layer.attention.bias { (buckets.rows, layer.attention.heads) } else { nil }
        }.first.map {
            try weights.matrix(.model(.positionBias, .weight), rows: $0.rows, columns: $0.heads).floats()
        }
    }

    /// For which tokens of a pass logits are computed.
    package enum LogitRows: Sendable {
        case none
        case last
        case all
    }

    /// Reads tokens behind those in the cache, and returns logits for some of them.
    ///
    /// - Parameters:
    ///   - tokens: T ids, each less than V.
    ///   - types: the kind of each token, where the model knows several; the first kind for all if nil.
    ///   - length: tokens of the text that is being read as a whole, for scalings that go by it; T and C at least.
    ///   - probe: shown what it asks for.
    ///   - pooled: given the vector for the whole text, where the model has one.
    /// - Returns: `[T or 1 or 0, V]`, valid until the next pass with this scratch.
    /// - Precondition: the tokens fit the cache, the scratch and the vocabulary; the model reads tokens.
    package func forward(
        _ tokens: UnsafeBufferPointer<Int>, types: [Int]? = nil, length: Int, logits wanted: LogitRows, phase: Phase,
        compute: Compute, cache: KeyValueCache, scratch: Scratch, probe: Probe? = nil,
        pooled: ((Pooled) -> Void)? = nil
    ) -> Rows {
        guard case .tokens(let stem) = stem else { preconditionFailure("this model reads no tokens") }
        precondition(tokens.count <= scratch.rows, "\(tokens.count) tokens in a scratch for \(scratch.rows)")
        let front = cache.count == 0 ? spec.prefix : 0
        let context = ForwardContext(
            compute: compute, phase: phase, scratch: scratch, cache: cache, probe: probe, front: front,
            firstPosition: max(0, cache.count - spec.prefix))
        let x = scratch.stream.rows(front + tokens.count, width: spec.width)
        compute.recording?.begin(TK_SPAN_EMBEDDING)
        stem(tokens, types: types, into: x, context)
        compute.recording?.end()
        let text = x.slice(front..<x.count)
        run(x, length: spec.prefix + length, wanted, context)
        return finish(text, tokens, wanted, context, pooled)
    }

    /// Reads an image.
    ///
    /// - Parameter pixels: `[channels, height, width]`, as the model wants them normalised.
    /// - Returns: the vector for the whole, where the model has one.
    /// - Precondition: the model reads images; cache and scratch have room for all patches.
    package func forward(
        pixels: [Float], compute: Compute, cache: KeyValueCache, scratch: Scratch,
        probe: Probe? = nil
    ) -> [Float] {
        guard case .patches(let stem) = stem else { preconditionFailure("this model reads no images") }
        let context = ForwardContext(
            compute: compute, phase: .prompt, scratch: scratch, cache: cache, probe: probe)
        let x = scratch.stream.rows(stem.spec.rows, width: spec.width)
        stem(pixels, into: x, context)
        run(x, length: x.count, .none, context)
        var vector: [Float] = []
        _ = finish(x, UnsafeBufferPointer(start: nil, count: 0), .none, context) { vector = $0.embedding }
        return vector
    }

    func run(_ x: Rows, length: Int, _ wanted: LogitRows, _ context: ForwardContext) {
        look(x, after: 0, wanted, context)
        // A comparison a layer is all that it costs not to be recorded.
        let recording = context.compute.recording
        recording?.begin(TK_SPAN_ROTATION)
        context.scratch.prepare(
            first: context.cache.count, count: x.count, length: length, texts: context.texts, phase: context.phase,
            positionBias: positionBias)
        recording?.end()
        for (layer, block) in blocks.enumerated() {
            recording?.layer(layer)
            block(x, context)
            look(x, after: layer + 1, wanted, context)
        }
        recording?.layer(nil)
        if let texts = context.texts {
            for text in texts.places { text.cache.advance(by: text.rows) }
        } else {
            context.cache.advance(by: x.count)
        }
    }

    /// Shows the stream, and what the model would say if this layer were the last.
    private func look(_ x: Rows, after layer: Int, _ wanted: LogitRows, _ context: ForwardContext) {
        guard let probe = context.probe else { return }
        context.show(.stream(layer), x)
        guard probe.points.contains(.lens(layer)) else { return }
        let rows = self.rows(wanted, of: x.slice(context.front..<x.count))
        if rows.count == 0 { return }
        // Between layers nobody holds a branch.
        let copy = context.scratch.branch.rows(rows.count, width: rows.width)
        copy.base.update(from: rows.base, count: rows.count * rows.width)
        norm(copy, context)
        guard let head else { return }
        context.show(
            .lens(layer), logits(copy, head, context), tokens: Array(x.count - rows.count..<x.count), expert: nil)
    }

    private func finish(
        _ x: Rows, _ tokens: UnsafeBufferPointer<Int>, _ wanted: LogitRows, _ context: ForwardContext,
        _ pooled: ((Pooled) -> Void)?
    ) -> Rows {
        let isPooled = pooler != nil && pooled != nil
        let rows = self.rows(isPooled && wanted == .none ? .all : wanted, of: x)
        if rows.count > 0 {
            norm(rows, context)
            if context.probe != nil {
                let end = context.front + x.count
                context.show(.final, rows, tokens: Array(end - rows.count..<end), expert: nil)
            }
        }
        if let pooler, let pooled { pooled(pooler(x, tokens: tokens, context)) }
        guard let head, wanted != .none else { return Rows(base: x.base, count: 0, width: spec.vocabulary) }
        return logits(rows, head, context)
    }

    private func rows(_ wanted: LogitRows, of x: Rows) -> Rows {
        switch wanted {
        case .none: x.slice(x.count..<x.count)
        case .last: x.slice(x.count - 1..<x.count)
        case .all: x
        }
    }

    /// What the head is applied to, in place of the stream.
    func norm(_ rows: Rows, _ context: ForwardContext) {
        finalNorm?(rows, into: rows, context.compute)
        if let head = spec.head { rows.scale(by: head.scale, context.compute) }
    }

    func logits(_ rows: Rows, _ head: Head, _ context: ForwardContext) -> Rows {
        precondition(
            rows.count <= context.scratch.logitRows,
            "\(rows.count) rows of logits in a scratch for \(context.scratch.logitRows)")
        let logits = context.scratch.logits.rows(rows.count, width: spec.vocabulary)
        head(rows, into: logits, context)
        return logits
    }
}

extension ModelSpec {
    /// Learned vectors that stand in front of every text.
    package var prefix: Int { if case .tokens(let stem) = stem { stem.prefix } else { 0 } }

    /// Positions that there are learned vectors for; nil where there is no such limit.
    package var positionRows: Int? {
        var limits = layers.compactMap { layer -> Int? in
            if case .queriesOfPositions(let rows) = layer.attention.projection { max(0, rows - prefix) } else { nil }
        }
        if case .tokens(let stem) = stem, case .learned(let rows) = stem.positions { limits.append(rows) }
        return limits.min()
    }
}
