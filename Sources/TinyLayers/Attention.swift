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

    /// Queries that look at the same keys are taken together, so that keys and values are read once for all of them: the
    /// heads of a group, for a few tokens. Threads take such tiles in turn, as later tokens see more and cost more.
    private func attend(_ q: Rows, into y: Rows, _ context: ForwardContext) {
        let groupHeads = spec.heads / spec.keyValueHeads
        let pool = context.compute.pool
        // A single token has fewer groups than threads need: its heads are taken one by one.
        let isSpread = q.count == 1 && spec.keyValueHeads % pool.threadCount != 0
        let heads = isSpread ? 1 : min(groupHeads, Scratch.tileRows)
        let tiling = Tiling(
            attention: self, q: q, y: y, context: context, groupHeads: groupHeads, heads: heads,
            tokens: max(1, Scratch.tileRows / heads))
        pool.run(with: tiling) { context, part in
            context.assumingMemoryBound(to: Tiling.self).pointee.run(part)
        }
    }

    /// How queries are cut into tiles: some heads of a group by some tokens.
    private struct Tiling {
        let attention: Attention
        let q: Rows
        let y: Rows
        let context: ForwardContext
        let groupHeads: Int
        /// Heads and tokens of a tile, the last ones of a group or a chunk excepted.
        let heads: Int
        let tokens: Int

        func run(_ part: Int) {
            let tilesOfGroup = (groupHeads + heads - 1) / heads
            let headTiles = attention.spec.keyValueHeads * tilesOfGroup
            let tokenTiles = (q.count + tokens - 1) / tokens
            let tile = context.scratch.attentionTile(part)
            for index in stride(from: part, to: headTiles * tokenTiles, by: context.compute.pool.threadCount) {
                let (tokenTile, headTile) = (index / headTiles, index % headTiles)
                let group = headTile / tilesOfGroup
                let firstHead = group * groupHeads + headTile % tilesOfGroup * heads
                attention.attendTile(
                    q, into: y, tokens: tokenTile * tokens..<min((tokenTile + 1) * tokens, q.count),
                    heads: firstHead..<min(firstHead + heads, (group + 1) * groupHeads), group: group, tile, context)
            }
        }
    }

    private func attendTile(
        _ q: Rows, into y: Rows, tokens: Range<Int>, heads: Range<Int>, group: Int, _ tile: Scratch.AttentionTile,
        _ context: ForwardContext
    ) {
        let (cache, width) = (context.cache, spec.headWidth)
        var rows = 0
        for t in tokens {
            let count = cache.count + t + 1
            var first = 0
            if case .causalWindow(let tokens) = spec.reach { first = max(0, count - tokens) }
            for head in heads {
                (tile.queries + rows * width).update(from: q[t] + head * width, count: width)
                tile.firsts[rows] = first
                tile.counts[rows] = count
                rows += 1
            }
        }
        tk_attend(
            context.compute.kernels.table, tile.queries, rows, cache.keys(layer: layer, head: group),
            cache.values(layer: layer, head: group), tile.firsts, tile.counts, width, spec.scale, tile.scores,
            tile.results)
        rows = 0
        for t in tokens {
            for head in heads {
                (y[t] + head * width).update(from: tile.results + rows * width, count: width)
                rows += 1
            }
        }
    }
}
