import CTinyKernels
import TinyTensor

/// What attention does between its projections: `softmax(scale · q · kᵀ) · v` for every head of every new token.
///
/// Queries that look at the same keys are taken together, so that keys and values are read once for all of them: the
/// heads of a group, for a few tokens. Threads take such tiles in turn, as later tokens see more and cost more.
struct AttentionScores: ~Copyable {
    let spec: AttentionSpec
    let layer: Int
    /// `[T, H · d]`
    let queries: Rows
    /// `[T, H · d]`, overwritten.
    private let attended: Rows
    /// `[H]`
    let sinks: [Float]?
    let biases: PositionBiasTable?
    let context: ForwardContext
    /// Whether keys and values are packed, for the kernels that attention over a prompt has of its own.
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
        isPacked = context.phase == .prompt && context.compute.packsTokens
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
        guard let texts = context.texts else { return pack(wholePass, part) }
        for text in texts.places { pack(text, part) }
    }

    private func pack(_ text: TextPlace, _ part: Int) {
        let tokens = text.held + text.rows
        let block = 128
        let blocks = (tokens + block - 1) / block
        // Texts of one block each are shared out by turns.
        let first = text.firstRow
        let pool = context.compute.pool
        for index in pool.range(of: (part + first) % pool.threadCount, count: spec.keyValueHeads * blocks) {
            let start = index % blocks * block
            pack(start..<min(start + block, tokens), of: text, group: index / blocks)
        }
    }

    private func pack(_ tokens: Range<Int>, of text: TextPlace, group: Int) {
        let (cache, scratch, width) = (text.cache, context.scratch, spec.headWidth)
        context.compute.kernels.table.pointee.pack_tokens(
            cache.elementType.kernelType, cache.keys(layer: layer, head: group, from: text.cacheStart),
            cache.values(layer: layer, head: group, from: text.cacheStart), tokens.lowerBound, tokens.upperBound,
            width, scratch.packedKeys(group, from: text.packedStart, width: width),
            scratch.packedValues(group, from: text.packedStart, width: width))
    }

    /// The next part of the one text in the cache.
    var wholePass: TextPlace {
        TextPlace(
            firstRow: 0, rows: queries.count, length: context.cache.count + queries.count, held: context.cache.count,
            cache: context.cache, cacheStart: 0, packedStart: 0)
    }

    private func attend(_ part: Int) {
        if queries.count == 1 { attendOne(context.texts?.places[0] ?? wholePass, part) } else { attendMany(part) }
    }

    /// A single token: each thread takes neighbouring heads, so that few groups are read by more than one.
    private func attendOne(_ text: TextPlace, _ part: Int) {
        let groupHeads = spec.heads / spec.keyValueHeads
        let tile = context.scratch.attentionTile(part)
        let heads = context.compute.pool.range(of: part, count: spec.heads)
        var first = heads.lowerBound
        while first < heads.upperBound {
            let group = first / groupHeads
            let end = min(heads.upperBound, (group + 1) * groupHeads, first + tileHeads)
            attendTile(text, tokens: 0..<1, heads: first..<end, group: group, tile)
            first = end
        }
    }

    private func attendMany(_ part: Int) {
        let groupHeads = spec.heads / spec.keyValueHeads
        let tilesOfGroup = (groupHeads + tileHeads - 1) / tileHeads
        let headTiles = spec.keyValueHeads * tilesOfGroup
        func tokenTiles(_ text: TextPlace) -> Int { (text.rows + tileTokens - 1) / tileTokens }
        let texts = context.texts?.places
        let total = texts?.reduce(0) { $0 + headTiles * tokenTiles($1) } ?? headTiles * tokenTiles(wholePass)
        let tile = context.scratch.attentionTile(part)
        var (text, place, tilesBefore) = (0, texts?.first ?? wholePass, 0)
        // All tokens of a head before the next one, whose keys stay in the cache meanwhile.
        while let share = context.scratch.shares.next(of: total) {
            while share - tilesBefore >= headTiles * tokenTiles(place), let texts {
                tilesBefore += headTiles * tokenTiles(place)
                text += 1
                place = texts[text]
            }
            let (index, tokenTiles) = (share - tilesBefore, tokenTiles(place))
            let (headTile, token) = (index / tokenTiles, index % tokenTiles * tileTokens)
            let group = headTile / tilesOfGroup
            let firstHead = group * groupHeads + headTile % tilesOfGroup * tileHeads
            attendTile(
                place, tokens: token..<min(token + tileTokens, place.rows),
                heads: firstHead..<min(firstHead + tileHeads, (group + 1) * groupHeads), group: group, tile)
        }
    }

    /// The tokens that the one at a place of a text looks at.
    func seen(by query: Int, in text: TextPlace) -> Range<Int> {
        switch spec.reach {
        case .causal: 0..<query + 1
        case .causalWindow(let tokens): max(0, query + 1 - tokens)..<query + 1
        case .everything: 0..<text.held + text.rows
        }
    }

    private func attendTile(
        _ text: TextPlace, tokens: Range<Int>, heads: Range<Int>, group: Int, _ tile: Scratch.AttentionTile
    ) {
        let (cache, scratch, width) = (text.cache, context.scratch, spec.headWidth)
        var rows = 0
        for t in tokens {
            let query = text.held + t
            let seen = seen(by: query, in: text)
            let (first, count) = (seen.lowerBound, seen.upperBound)
            for head in heads {
                (tile.queries + rows * width).update(from: queries[text.firstRow + t] + head * width, count: width)
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
        var terms = tk_score_terms(
            cap: spec.scoreCap ?? 0, biases: biases == nil ? nil : UnsafePointer(tile.biases),
            sinks: sinks == nil ? nil : UnsafePointer(tile.sinks))
        if isPacked {
            kernels.pointee.attend_packed(
                tile.queries, rows, scratch.packedKeys(group, from: text.packedStart, width: width),
                scratch.packedValues(group, from: text.packedStart, width: width), tile.firsts, tile.counts, width,
                spec.scale, &terms, tile.scratch, tile.results)
        } else {
            kernels.pointee.attend(
                kernels, tile.queries, rows, cache.elementType.kernelType,
                cache.keys(layer: layer, head: group, from: text.cacheStart),
                cache.values(layer: layer, head: group, from: text.cacheStart), tile.firsts, tile.counts, width,
                spec.scale, &terms, tile.scratch, tile.results)
        }
        rows = 0
        for t in tokens {
            for head in heads {
                (attended[text.firstRow + t] + head * width).update(from: tile.results + rows * width, count: width)
                rows += 1
            }
        }
    }
}
