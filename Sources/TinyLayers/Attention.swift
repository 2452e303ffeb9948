import CTinyKernels
import TinyTensor

/// Attention over the tokens read so far.
///
///     q, k, v = x · Wqᵀ, x · Wkᵀ, x · Wvᵀ         q and k normed and turned by position, where the spec says so
///     y       = softmax(scale · q · kᵀ) · v · Woᵀ
package final class Attention: Sendable {
    let spec: AttentionSpec
    private let layer: Int
    private let inputs: Inputs
    private let queryNorm: Norm?
    private let keyNorm: Norm?
    /// `[H]`
    private let sinks: [Float]?
    /// `[H, D]`
    private let headGate: Linear?
    private let output: Linear

    private enum Inputs: Sendable {
        case direct(DirectProjection)
        case queriesOfPositions(table: Matrix, DirectProjection)
        case latent(LatentProjection)
    }

    private final class DirectProjection: Sendable {
        let query, key, value: Linear

        init(query: Linear, key: Linear, value: Linear) { (self.query, self.key, self.value) = (query, key, value) }
    }

    init(_ spec: AttentionSpec, layer: Int, width: Int, from weights: some WeightProvider) throws {
        self.spec = spec
        self.layer = layer
        func linear(_ slot: LayerSlot, _ rows: Int, _ columns: Int, bias: Bool) throws -> Linear {
            try Linear({ .layer(layer, slot, $0) }, rows: rows, columns: columns, bias: bias, from: weights)
        }
        func norm(_ slot: LayerSlot, heads: Int) throws -> Norm? {
            try spec.headNorm.map { norm in
                let width = norm.span == .head ? spec.headWidth : heads * spec.headWidth
                return try Norm(norm.norm, { .layer(layer, slot, $0) }, width: width, from: weights)
            }
        }
        let (queries, keys) = (spec.heads * spec.headWidth, spec.keyValueHeads * spec.headWidth)
        func direct() throws -> DirectProjection {
            DirectProjection(
                query: try linear(.query, queries, width, bias: spec.inputBias),
                key: try linear(.key, keys, width, bias: spec.inputBias),
                value: try linear(.value, keys, width, bias: spec.inputBias))
        }
        switch spec.projection {
        case .direct: inputs = .direct(try direct())
        case .queriesOfPositions(let rows):
            let table = try weights.matrix(.layer(layer, .queryPositions, .weight), rows: rows, columns: width)
            inputs = .queriesOfPositions(table: table, try direct())
        case .latent(let latent):
            inputs = .latent(try LatentProjection(latent, spec, layer: layer, width: width, from: weights))
        }
        queryNorm = try norm(.queryNorm, heads: spec.heads)
        keyNorm = try norm(.keyNorm, heads: spec.keyValueHeads)
        sinks = spec.sinks ? try weights.vector(.layer(layer, .sinks, .weight), count: spec.heads) : nil
        headGate = spec.headGate ? try linear(.headGate, spec.heads, width, bias: false) : nil
        output = try linear(.attentionOutput, width, spec.valueWidths, bias: spec.outputBias)
    }

    /// - Parameters:
    ///   - x: `[T, D]`, the tokens that follow those in the cache.
    ///   - y: `[T, D]`, overwritten.
    func callAsFunction(_ x: Rows, into y: Rows, _ context: ForwardContext) {
        let (scratch, compute) = (context.scratch, context.compute)
        let q = scratch.queries.rows(x.count, width: spec.heads * spec.headWidth)
        let k = scratch.keys.rows(x.count, width: spec.keyValueHeads * spec.headWidth)
        let v = scratch.values.rows(x.count, width: spec.keyValueHeads * spec.headWidth)
        project(x, q, k, v, context)
        let table = spec.rotary.map(scratch.rotaryTable)
        compute.pool.forRanges(of: x.count) { tokens in
            if spec.headNorm?.afterRotation == false { normalize(q, k, tokens, compute) }
            table?.rotate(q, tokens, headWidth: spec.headWidth, compute.kernels)
            table?.rotate(k, tokens, headWidth: spec.headWidth, compute.kernels)
            if spec.headNorm?.afterRotation == true { normalize(q, k, tokens, compute) }
            if let limit = spec.growsBeyond { grow(q, tokens, limit, context) }
            write(k, v, tokens, context)
        }
        let attended = scratch.attended.rows(x.count, width: q.width)
        let scores = AttentionScores(spec, layer: layer, queries: q, attended: attended, sinks: sinks, context)
        scores.run()
        if context.probe != nil { scores.show() }
        if let headGate {
            let gates = scratch.gates.rows(x.count, width: spec.heads)
            headGate(x, into: gates, context)
            compute.pool.forRanges(of: x.count) { close(attended, by: gates, $0, compute) }
        }
        output(spec.packValues(attended), into: y, context)
    }

    /// Keys and values of some rows into the caches of their texts.
    private func write(_ k: Rows, _ v: Rows, _ rows: Range<Int>, _ context: ForwardContext) {
        let kernels = context.compute.kernels
        guard let texts = context.texts else {
            return context.cache.write(
                keys: k, values: v, rows, at: context.cache.count + rows.lowerBound, layer: layer, kernels)
        }
        for text in texts.places {
            let part = rows.clamped(to: text.range)
            if part.isEmpty { continue }
            text.cache.write(
                keys: k, values: v, part, at: text.cacheStart + text.held + part.lowerBound - text.firstRow,
                layer: layer, kernels)
        }
    }

    private func project(_ x: Rows, _ q: Rows, _ k: Rows, _ v: Rows, _ context: ForwardContext) {
        switch inputs {
        case .direct(let linear):
            context.multiply(
                x, by: linear.query.product(into: q), linear.key.product(into: k), linear.value.product(into: v))
        case .queriesOfPositions(let table, let linear):
            let positions = context.scratch.normedPositions.rows(x.count, width: x.width)
            for t in 0..<x.count { table.expand(row: context.position(ofRow: t), into: positions[t]) }
            context.multiply(positions, by: linear.query.product(into: q))
            context.multiply(x, by: linear.key.product(into: k), linear.value.product(into: v))
        case .latent(let latent): latent(x, q, k, v, context)
        }
    }

    private func normalize(_ q: Rows, _ k: Rows, _ tokens: Range<Int>, _ compute: Compute) {
        if let queryNorm { normalize(q.slice(tokens), queryNorm, compute) }
        if let keyNorm { normalize(k.slice(tokens), keyNorm, compute) }
    }

    private func normalize(_ rows: Rows, _ norm: Norm, _ compute: Compute) {
        let parts = rows.split(width: norm.weight.count)
        norm.apply(parts, into: parts, compute.kernels.table.pointee)
    }

    /// Queries beyond `limit` positions, by the logarithm of their position.
    private func grow(_ q: Rows, _ tokens: Range<Int>, _ limit: Int, _ context: ForwardContext) {
        for t in tokens {
            let length = context.position(ofRow: t) + 1
            guard length > limit else { continue }
            let factor = Float(logarithm(Double(length)) / logarithm(Double(limit)))
            context.compute.kernels.table.pointee.scale(q[t], factor, q.width)
        }
    }

    private func close(_ attended: Rows, by gates: Rows, _ tokens: Range<Int>, _ compute: Compute) {
        for t in tokens {
            for head in 0..<spec.heads {
                compute.kernels.table.pointee.scale(
                    attended[t] + head * spec.headWidth, logistic(gates[t][head]), spec.headWidth)
            }
        }
    }
}

extension AttentionSpec {
    /// Elements of all heads' results together.
    var valueWidths: Int {
        if case .latent(let latent) = projection { heads * latent.valueWidth } else { heads * headWidth }
    }

    /// `[T, H · d]` to `[T, H · valueWidth]`, in place: what stands behind a head's value is left out.
    fileprivate func packValues(_ rows: Rows) -> Rows {
        guard case .latent(let latent) = projection, latent.valueWidth < headWidth else { return rows }
        let packed = Rows(base: rows.base, count: rows.count, width: valueWidths)
        for head in 1..<max(1, rows.count * heads) {
            (packed.base + head * latent.valueWidth).update(
                from: rows.base + head * headWidth, count: latent.valueWidth)
        }
        return packed
    }
}
