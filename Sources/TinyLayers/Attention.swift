import CTinyKernels
import TinyTensor

/// Attention over the tokens read so far.
///
///     q, k, v = x · Wqᵀ, x · Wkᵀ, x · Wvᵀ         q and k turned by position
///     y       = softmax(scale · q · kᵀ) · v · Woᵀ
package struct Attention: Sendable {
    let spec: AttentionSpec
    private let layer: Int
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear

    init(_ spec: AttentionSpec, layer: Int, width: Int, from weights: some WeightProvider) throws {
        self.spec = spec
        self.layer = layer
        func linear(_ slot: @escaping (Part) -> LayerSlot, _ rows: Int, _ columns: Int, bias: Bool) throws -> Linear {
            try Linear({ .layer(layer, slot($0)) }, rows: rows, columns: columns, bias: bias, from: weights)
        }
        let (queries, keys) = (spec.heads * spec.headWidth, spec.keyValueHeads * spec.headWidth)
        query = try linear(LayerSlot.query, queries, width, bias: spec.inputBias)
        key = try linear(LayerSlot.key, keys, width, bias: spec.inputBias)
        value = try linear(LayerSlot.value, keys, width, bias: spec.inputBias)
        output = try linear(LayerSlot.attentionOutput, width, queries, bias: spec.outputBias)
    }

    /// - Parameters:
    ///   - x: `[T, D]`, the tokens that follow those in the cache.
    ///   - y: `[T, D]`, overwritten.
    func callAsFunction(_ x: Rows, into y: Rows, _ context: ForwardContext) {
        let scratch = context.scratch
        let q = scratch.queries.rows(x.count, width: query.outputs)
        let k = scratch.keys.rows(x.count, width: key.outputs)
        let v = scratch.values.rows(x.count, width: value.outputs)
        query(x, into: q, context)
        key(x, into: k, context)
        value(x, into: v, context)
        if let rotary = spec.rotary {
            let table = scratch.rotaryTable(rotary)
            table.rotate(q, headWidth: spec.headWidth)
            table.rotate(k, headWidth: spec.headWidth)
        }
        context.cache.write(keys: k, values: v, layer: layer)
        let attended = scratch.attended.rows(x.count, width: query.outputs)
        attend(q, into: attended, context)
        output(attended, into: y, context)
    }

    /// Threads take pairs of token and head in turn, as later tokens see more and cost more.
    private func attend(_ q: Rows, into y: Rows, _ context: ForwardContext) {
        let cache = context.cache
        let groupHeads = spec.heads / spec.keyValueHeads
        let threads = context.compute.pool.threadCount
        context.compute.pool.run { part in
            let scores = context.scratch.scores(part)
            for pair in stride(from: part, to: q.count * spec.heads, by: threads) {
                let (t, head) = (pair / spec.heads, pair % spec.heads)
                let count = cache.count + t + 1
                var first = 0
                if case .causalWindow(let tokens) = spec.reach { first = max(0, count - tokens) }
                tk_attend(
                    context.compute.kernels.table, q[t] + head * spec.headWidth,
                    cache.keys(layer: layer, head: head / groupHeads),
                    cache.values(layer: layer, head: head / groupHeads),
                    first, count, spec.headWidth, spec.scale, scores, y[t] + head * spec.headWidth)
            }
        }
    }
}
