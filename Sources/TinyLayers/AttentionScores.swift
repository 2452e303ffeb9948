import CTinyKernels
import TinyTensor

/// What attention does between its projections: `softmax(scale · q · kᵀ) · v` for every head of every new token.
///
/// Queries that look at the same keys are taken together, so that keys and values are read once for all of them: the
/// heads of a group, for a few tokens. Threads take such tiles in turn, as later tokens see more and cost more.
struct AttentionScores {
    private let spec: AttentionSpec
    private let layer: Int
    /// `[T, H · d]`
    private let queries: Rows
    /// `[T, H · d]`, overwritten.
    private let attended: Rows
    /// `[H]`
    private let sinks: [Float]?
    private let biases: PositionBiasTable?
    private let context: ForwardContext
    /// Whether keys and values are packed for kernels that work in tiles.
    private let isPacked: Bool
    /// Heads and tokens of a tile, the last ones of a group or a chunk excepted.
    private let tileHeads: Int
    private let tileTokens: Int

    init(
        _ spec: AttentionSpec, layer: Int, queries: Rows, attended: Rows, sinks: [Float]?, _ context: ForwardContext
    ) {
        self.spec = spec
        self.layer = layer
        self.queries = queries
        self.attended = attended
        self.sinks = sinks
        biases = context.scratch.positionBias(spec.bias)
        self.context = context
        isPacked = context.phase == .prompt && context.compute.usesTiles && !spec.hasScoreTerms
        let rows = isPacked ? Scratch.packedTileRows : Scratch.tileRows
        tileHeads = min(spec.heads / spec.keyValueHeads, rows)
        tileTokens = max(1, rows / tileHeads)
    }

    func run() {
        let pool = context.compute.pool
        if isPacked {
            pool.run(with: self) { it, part in it.assumingMemoryBound(to: AttentionScores.self).pointee.pack(part) }
        }
        context.scratch.shares.reset()
        pool.run(with: self) { it, part in it.assumingMemoryBound(to: AttentionScores.self).pointee.attend(part) }
    }

    /// Packs a part of the tokens that are held and of the new ones, of all groups.
    private func pack(_ part: Int) {
        let (cache, scratch) = (context.cache, context.scratch)
        let tokens = cache.count + queries.count
        let block = 128
        let blocks = (tokens + block - 1) / block
        for index in context.compute.pool.range(of: part, count: spec.keyValueHeads * blocks) {
            let (group, first) = (index / blocks, index % blocks * block)
            context.compute.kernels.table.pointee.pack_tokens(
                cache.elementType.kernelType, cache.keys(layer: layer, head: group),
                cache.values(layer: layer, head: group), first, min(first + block, tokens), spec.headWidth,
                scratch.packedKeys(group, width: spec.headWidth), scratch.packedValues(group, width: spec.headWidth))
        }
    }

    private func attend(_ part: Int) {
        if queries.count == 1 { attendOne(part) } else { attendMany(part) }
    }

    /// A single token: each thread takes neighbouring heads, so that few groups are read by more than one.
    private func attendOne(_ part: Int) {
        let groupHeads = spec.heads / spec.keyValueHeads
        let tile = context.scratch.attentionTile(part)
        let heads = context.compute.pool.range(of: part, count: spec.heads)
        var first = heads.lowerBound
        while first < heads.upperBound {
            let group = first / groupHeads
            let end = min(heads.upperBound, (group + 1) * groupHeads, first + tileHeads)
            attendTile(tokens: 0..<1, heads: first..<end, group: group, tile)
            first = end
        }
    }

    private func attendMany(_ part: Int) {
        let groupHeads = spec.heads / spec.keyValueHeads
        let tilesOfGroup = (groupHeads + tileHeads - 1) / tileHeads
        let tokenTiles = (queries.count + tileTokens - 1) / tileTokens
        let tile = context.scratch.attentionTile(part)
        // All tokens of a head before the next one, whose keys stay in the cache meanwhile.
        while let index = context.scratch.shares.next(of: spec.keyValueHeads * tilesOfGroup * tokenTiles) {
            let (headTile, token) = (index / tokenTiles, index % tokenTiles * tileTokens)
            let group = headTile / tilesOfGroup
            let firstHead = group * groupHeads + headTile % tilesOfGroup * tileHeads
            attendTile(
                tokens: token..<min(token + tileTokens, queries.count),
                heads: firstHead..<min(firstHead + tileHeads, (group + 1) * groupHeads), group: group, tile)
        }
    }

    private func attendTile(tokens: Range<Int>, heads: Range<Int>, group: Int, _ tile: Scratch.AttentionTile) {
        let (cache, scratch, width) = (context.cache, context.scratch, spec.headWidth)
        var rows = 0
        for t in tokens {
            let query = cache.count + t
            var (first, count) = (0, query + 1)
            switch spec.reach {
            case .causal: break
            case .causalWindow(let tokens): first = max(0, count - tokens)
            case .everything: count = cache.count + queries.count
            }
            for head in heads {
                (tile.queries + rows * width).update(from: queries[t] + head * width, count: width)
                if let biases {
                    tile.biases[rows] = biases.row(head: head, query: query, count: count, tile.biasRow(rows))
                }
                if let sinks { tile.sinks[rows] = sinks[head] }
                tile.firsts[rows] = first
                tile.counts[rows] = count
                rows += 1
            }
        }
        let kernels = context.compute.kernels.table
        if isPacked {
            kernels.pointee.attend_packed(
                tile.queries, rows, scratch.packedKeys(group, width: width), scratch.packedValues(group, width: width),
                tile.firsts, tile.counts, width, spec.scale, tile.scratch, tile.results)
        } else {
            var terms = tk_score_terms(
                cap: spec.scoreCap ?? 0, biases: biases == nil ? nil : UnsafePointer(tile.biases),
                sinks: sinks == nil ? nil : UnsafePointer(tile.sinks))
            tk_attend(
                kernels, tile.queries, rows, cache.elementType.kernelType, cache.keys(layer: layer, head: group),
                cache.values(layer: layer, head: group), tile.firsts, tile.counts, width, spec.scale, &terms,
                tile.scratch, tile.results)
        }
        rows = 0
        for t in tokens {
            for head in heads {
                (attended[t] + head * width).update(from: tile.results + rows * width, count: width)
                rows += 1
            }
        }
    }
}

extension AttentionSpec {
    /// Whether anything happens to scores that the kernels for prompts know nothing of.
    fileprivate var hasScoreTerms: Bool {
        if case .none = bias { return scoreCap != nil || sinks }
        return true
    }
}
