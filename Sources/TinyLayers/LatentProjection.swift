import CTinyKernels
import TinyTensor

/// Queries, keys and values by way of narrow vectors.
///
///     q = norm(x · Wdᵀ) · Wuᵀ, or x · Wuᵀ              each head [turning | still]
///     c = norm(x · Wcᵀ)
///     k = [x · Wrᵀ | c · Wkᵀ]                          the turning part the same for all heads
///     v = c · Wvᵀ                                      narrower than a head; zeros behind
///
/// The cache holds keys and values of every head, so that the scores are those of any other layer.
///
/// DeepSeek-AI 2024, arXiv:2405.04434
struct LatentProjection: Sendable {
    private let spec: LatentSpec
    private let heads: Int
    private let headWidth: Int
    private let query: (down: Linear, norm: Norm)?
    private let queryUp, keyValueDown, turningKey, keyUp, valueUp: Linear
    private let keyValueNorm: Norm

    init(
        _ spec: LatentSpec, _ attention: AttentionSpec, layer: Int, width: Int, from weights: some WeightProvider
    ) throws {
        self.spec = spec
        (heads, headWidth) = (attention.heads, attention.headWidth)
        func linear(_ slot: LatentSlot, _ rows: Int, _ columns: Int, bias: Bool = false) throws -> Linear {
            try Linear({ .layer(layer, .latent(slot), $0) }, rows: rows, columns: columns, bias: bias, from: weights)
        }
        func norm(_ slot: LatentSlot, _ width: Int) throws -> Norm {
            try Norm(.rms(epsilon: spec.epsilon), { .layer(layer, .latent(slot), $0) }, width: width, from: weights)
        }
        query = try spec.queryRank.map {
            (try linear(.queryDown, $0, width, bias: attention.inputBias), try norm(.queryNorm, $0))
        }
        queryUp = try linear(.queryUp, heads * headWidth, spec.queryRank ?? width)
        keyValueDown = try linear(.keyValueDown, spec.keyValueRank, width, bias: attention.inputBias)
        turningKey = try linear(.turningKey, spec.turning, width, bias: attention.inputBias)
        keyValueNorm = try norm(.keyValueNorm, spec.keyValueRank)
        keyUp = try linear(.keyUp, heads * (headWidth - spec.turning), spec.keyValueRank)
        valueUp = try linear(.valueUp, heads * spec.valueWidth, spec.keyValueRank)
    }

    func callAsFunction(_ x: Rows, _ q: Rows, _ k: Rows, _ v: Rows, _ context: ForwardContext) {
        let compute = context.compute
        let latent = context.scratch.latent.keyValues.rows(x.count, width: spec.keyValueRank)
        let turning = context.scratch.latent.turning.rows(x.count, width: spec.turning)
        if let query {
            let low = context.scratch.latent.queries.rows(x.count, width: query.down.outputs)
            context.multiply(
                x, by: query.down.product(into: low), keyValueDown.product(into: latent),
                turningKey.product(into: turning))
            query.norm(low, into: low, compute)
            queryUp(low, into: q, context)
        } else {
            context.multiply(
                x, by: queryUp.product(into: q), keyValueDown.product(into: latent), turningKey.product(into: turning))
        }
        keyValueNorm(latent, into: latent, compute)
        let still = context.scratch.latent.keys.rows(x.count, width: keyUp.outputs)
        let narrow = context.scratch.latent.values.rows(x.count, width: valueUp.outputs)
        context.multiply(latent, by: keyUp.product(into: still), valueUp.product(into: narrow))
        compute.pool.forRanges(of: x.count) { for t in $0 { join(turning[t], still[t], narrow[t], k[t], v[t]) } }
    }

    /// One token's heads from their parts.
    private func join(
        _ turning: UnsafePointer<Float>, _ still: UnsafePointer<Float>, _ narrow: UnsafePointer<Float>,
        _ k: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>
    ) {
        let rest = headWidth - spec.turning
        for head in 0..<heads {
            let (key, value) = (k + head * headWidth, v + head * headWidth)
            key.update(from: turning, count: spec.turning)
            (key + spec.turning).update(from: still + head * rest, count: rest)
            value.update(from: narrow + head * spec.valueWidth, count: spec.valueWidth)
            (value + spec.valueWidth).update(repeating: 0, count: headWidth - spec.valueWidth)
        }
    }
}

/// Memory for the parts.
struct LatentScratch: ~Copyable {
    let queries, keyValues, turning, keys, values: RowBuffer

    init(_ layers: [AttentionSpec], rows: Int) {
        var most = (0, 0, 0, 0, 0)
        for layer in layers {
            guard case .latent(let latent) = layer.projection else { continue }
            most.0 = max(most.0, latent.queryRank ?? 0)
            most.1 = max(most.1, latent.keyValueRank)
            most.2 = max(most.2, latent.turning)
            most.3 = max(most.3, layer.heads * (layer.headWidth - latent.turning))
            most.4 = max(most.4, layer.heads * latent.valueWidth)
        }
        queries = RowBuffer(capacity: rows * most.0)
        keyValues = RowBuffer(capacity: rows * most.1)
        turning = RowBuffer(capacity: rows * most.2)
        keys = RowBuffer(capacity: rows * most.3)
        values = RowBuffer(capacity: rows * most.4)
    }
}
