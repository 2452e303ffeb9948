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
        context.multiply(x, by: query.product(into: q), key.product(into: k), value.product(into: v))
        let table = spec.rotary.map(scratch.rotaryTable)
        context.compute.pool.forRanges(of: x.count) { tokens in
            table?.rotate(q, tokens, headWidth: spec.headWidth, context.compute.kernels)
            table?.rotate(k, tokens, headWidth: spec.headWidth, context.compute.kernels)
            context.cache.write(keys: k, values: v, tokens, layer: layer, context.compute.kernels)
        }
        let attended = scratch.attended.rows(x.count, width: query.outputs)
        AttentionScores(spec, layer: layer, queries: q, attended: attended, context).run()
        output(attended, into: y, context)
    }
}
