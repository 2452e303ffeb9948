import CTinyKernels
import TinyTensor

extension AttentionScores {
    /// Shows the weights `[H, T, C]` to a probe that asked for them, as they are worked out where one row is at a time: the
    /// kernels that take many keep none.
    func show() {
        let point = Probe.Point.attention(layer + 1)
        guard let probe = context.probe, probe.points.contains(point) else { return }
        let (front, count) = (context.front, queries.count - context.front)
        let columns = context.cache.count + queries.count
        let buffer = RowBuffer(capacity: spec.heads * count * columns)
        let weights = buffer.rows(spec.heads * count, width: columns)
        context.compute.pool.run { part in
            for row in context.compute.pool.range(of: part, count: weights.count) {
                weigh(head: row / count, token: front + row % count, into: weights[row], part)
            }
        }
        let positions = context.firstPosition..<context.firstPosition + count
        probe.body(
            Probe.Reading(
                point: point, positions: Array(positions), shape: [spec.heads, count, columns], expert: nil),
            UnsafeBufferPointer(start: weights.base, count: weights.count * columns).span)
    }

    /// - Parameters:
    ///   - weights: `[C]`, all zero; set where the token looks.
    ///   - part: the thread, whose memory is used.
    private func weigh(head: Int, token: Int, into weights: UnsafeMutablePointer<Float>, _ part: Int) {
        let (cache, width) = (context.cache, spec.headWidth)
        let tile = context.scratch.attentionTile(part)
        let query = cache.count + token
        let seen = seen(by: query, in: wholePass)
        if let biases {
            tile.biases[0] = biases.row(head: head, query: query, count: seen.upperBound, tile.biasRow(0))
        }
        if let sinks { tile.sinks[0] = sinks[head] }
        var terms = tk_score_terms(
            cap: spec.scoreCap ?? 0, biases: biases == nil ? nil : UnsafePointer(tile.biases),
            sinks: sinks == nil ? nil : UnsafePointer(tile.sinks))
        tk_attention_weights(
            context.compute.kernels.table, queries[token] + head * width, cache.elementType.kernelType,
            cache.keys(layer: layer, head: head / (spec.heads / spec.keyValueHeads)), seen.lowerBound,
            seen.upperBound, width, spec.scale, &terms, tile.scratch, weights)
    }
}
