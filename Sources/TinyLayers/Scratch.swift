import CTinyKernels
package import TinyTensor

/// Memory for the activations of one forward pass, of fixed size and one owner: nothing is allocated per token.
package final class Scratch {
    /// T: the most tokens in one pass.
    package let rows: Int
    /// Shown what weights are about to be multiplied by, if anyone wants to know.
    package var observer: ((_ inputs: Rows, _ weights: Weights) -> Void)?
    /// The most rows of logits in one pass.
    package let logitRows: Int
    let stream: RowBuffer
    let normed: RowBuffer
    let branch: RowBuffer
    let waiting: RowBuffer
    let queries: RowBuffer
    let keys: RowBuffer
    let values: RowBuffer
    let attended: RowBuffer
    let hidden: RowBuffer
    let factors: RowBuffer
    let logits: RowBuffer
    /// A number for each head, or one.
    let gates: RowBuffer
    /// Rows of a token table's width, or of a patch's.
    let tableRows: RowBuffer
    let normedPositions: RowBuffer
    let latent: LatentScratch
    let routerScores: RowBuffer
    let routerRanks: RowBuffer
    let gathered: RowBuffer
    let expertOutput: RowBuffer
    let choice: ExpertChoice
    let products: MatMulScratch
    /// Tiles of attention.
    let shares = Shares()
    private let tileBuffer: RowBuffer
    private let tileRanges: UnsafeMutablePointer<Int>
    private let tileFloats: Int
    private let packedKeyBuffer: RowBuffer
    private let packedValueBuffer: RowBuffer
    /// Tokens that there is room for, in whole tiles.
    private let tokens: Int
    private let headWidth: Int
    private let rotaryTables: [RotaryTable]
    private let biasTables: [PositionBiasTable]
    private let tileBiases: UnsafeMutablePointer<UnsafePointer<Float>?>
    private let tileSinks: RowBuffer
    private let tileBiasRows: RowBuffer
    private let biasRowLength: Int

    /// - Parameters:
    ///   - capacity: the most tokens in the cache.
    ///   - rows: the most tokens in one pass.
    ///   - logitRows: for how many of them logits are wanted at most.
    ///   - texts: the most texts in one pass.
    package init(
        spec: ModelSpec, capacity: Int, rows: Int, logitRows: Int, texts: Int = 1, compute: Compute
    ) {
        let threads = compute.pool.threadCount
        self.rows = rows
        self.logitRows = logitRows
        let attention = spec.layers.map(\.attention)
        let queryWidth = attention.map { $0.heads * $0.headWidth }.max() ?? 0
        let keyWidth = attention.map { $0.keyValueHeads * $0.headWidth }.max() ?? 0
        let networks = spec.layers.flatMap(\.feedForward.networks)
        let hiddenWidth = networks.map(\.hidden).max() ?? 0
        let isParallel = spec.layers.contains { if case .parallel = $0.wiring { true } else { false } }
        let isGated = networks.contains { $0.form != .plain }
        let mixtures = spec.layers.compactMap {
            if case .mixture(let mixture) = $0.feedForward { mixture } else { nil }
        }
        let experts = mixtures.map(\.experts).max() ?? 0
        let choices = mixtures.map(\.chosen).max() ?? 0
        let positionRows = attention.contains { if case .queriesOfPositions = $0.projection { true } else { false } }
        // A text begins with the prefix.
        let rows = rows + spec.prefix
        let capacity = capacity + spec.prefix
        stream = RowBuffer(capacity: rows * spec.width)
        normed = RowBuffer(capacity: rows * spec.width)
        branch = RowBuffer(capacity: rows * spec.width)
        waiting = RowBuffer(capacity: isParallel ? rows * spec.width : 0)
        queries = RowBuffer(capacity: rows * queryWidth)
        keys = RowBuffer(capacity: rows * keyWidth)
        values = RowBuffer(capacity: rows * keyWidth)
        attended = RowBuffer(capacity: rows * queryWidth)
        hidden = RowBuffer(capacity: max(rows, 8) * hiddenWidth)  // or sixteen rows rounded
        factors = RowBuffer(capacity: isGated ? rows * hiddenWidth : 0)
        logits = RowBuffer(capacity: logitRows * spec.vocabulary)
        gates = RowBuffer(capacity: rows * max(1, attention.map(\.heads).max() ?? 0))
        tableRows = RowBuffer(capacity: rows * spec.tableWidth)
        normedPositions = RowBuffer(capacity: positionRows ? rows * spec.width : 0)
        latent = LatentScratch(attention, rows: rows)
        routerScores = RowBuffer(capacity: rows * experts)
        routerRanks = RowBuffer(capacity: rows * experts)
        gathered = RowBuffer(capacity: experts > 0 ? rows * spec.width : 0)
        expertOutput = RowBuffer(capacity: experts > 0 ? rows * spec.width : 0)
        choice = ExpertChoice(tokens: experts > 0 ? rows : 0, chosen: choices)
        let inputs = max(spec.width, queryWidth, hiddenWidth, spec.tableWidth, attention.map(\.latentRank).max() ?? 0)
        products = MatMulScratch(inputs: inputs, rows: rows, threads: threads)
        headWidth = attention.map(\.headWidth).max() ?? 0
        let attentionFloats = max(
            tk_attention_floats(Self.tileRows, capacity),
            compute.packsTokens ? compute.kernels.table.pointee.attend_packed_floats(headWidth) : 0)
        tileFloats = (attentionFloats + 2 * Self.packedTileRows * headWidth).roundedUp(to: 16)
        tokens = (capacity + (texts - 1) * (TextPlace.alignment - 1)).roundedUp(to: TextPlace.alignment)
        let groups = compute.packsTokens ? attention.map(\.keyValueHeads).max() ?? 0 : 0
        packedKeyBuffer = RowBuffer(capacity: groups * tokens * Self.packedKeyNumbers(headWidth) / 2)
        packedValueBuffer = RowBuffer(capacity: groups * tokens * Self.packedValueNumbers(headWidth) / 2)
        tileBuffer = RowBuffer(capacity: threads * tileFloats)
        tileRanges = .allocate(capacity: threads * 2 * Self.packedTileRows)
        tileRanges.initialize(repeating: 0, count: threads * 2 * Self.packedTileRows)
        tileBiases = .allocate(capacity: threads * Self.packedTileRows)
        tileBiases.initialize(repeating: nil, count: threads * Self.packedTileRows)
        tileSinks = RowBuffer(capacity: threads * Self.packedTileRows)
        var biases: [PositionBiasTable] = []
        for layer in attention where layer.bias != .none && !biases.contains(where: { $0.spec == layer.bias }) {
            biases.append(
                PositionBiasTable(layer.bias, heads: layer.heads, capacity: capacity, prefix: spec.prefix))
        }
        biasTables = biases
        let biasRows = biases.contains(where: \.needsRows) ? threads * Self.packedTileRows * capacity : 0
        tileBiasRows = RowBuffer(capacity: biasRows)
        biasRowLength = biasRows > 0 ? capacity : 0
        rotaryTables = Set(attention.compactMap(\.rotary)).map { RotaryTable($0, capacity: rows) }
    }

    deinit {
        tileRanges.deallocate()
        tileBiases.deallocate()
    }

    /// Bytes for each token of the cache's capacity.
    package static func bytesPerToken(spec: ModelSpec, compute: Compute) -> Int {
        let packed = spec.layers.map(\.attention).map {
            $0.keyValueHeads * (packedKeyNumbers($0.headWidth) + packedValueNumbers($0.headWidth)) * 2
        }
        return compute.pool.threadCount * tileRows * MemoryLayout<Float>.size
            + (compute.packsTokens ? packed.max() ?? 0 : 0)
    }

    /// About the bytes that all of it takes once it has been used.
    package static func byteCount(
        spec: ModelSpec, capacity: Int, rows: Int, logitRows: Int, compute: Compute
    ) -> Int {
        let attention = spec.layers.map(\.attention)
        let queries = attention.map { $0.heads * $0.headWidth }.max() ?? 0
        let keys = attention.map { $0.keyValueHeads * $0.headWidth }.max() ?? 0
        let hidden = spec.layers.flatMap(\.feedForward.networks).map(\.hidden).max() ?? 0
        // Stream, norm and branch; the last of them rounded activations.
        let row = 4 * spec.width + 2 * queries + 2 * keys + 2 * hidden + max(spec.width, queries, hidden)
        let (tokens, overflow) = capacity.multipliedReportingOverflow(by: bytesPerToken(spec: spec, compute: compute))
        return overflow ? .max / 4 : tokens + 4 * (rows * row + logitRows * spec.vocabulary)
    }

    /// The most rows of queries that attention takes together, and how many the kernels for prompts take.
    static let tileRows = 12
    static let packedTileRows = Int(TK_TILE_QUERIES)

    /// A thread's memory for queries that are taken together, at most `R = packedTileRows`.
    struct AttentionTile {
        /// `[R, d]`
        let queries: UnsafeMutablePointer<Float>
        /// `[R, d]`
        let results: UnsafeMutablePointer<Float>
        /// The kernels' own.
        let scratch: UnsafeMutablePointer<Float>
        /// `[R]`: the first token that a row sees, and one past the last.
        let firsts: UnsafeMutablePointer<Int>
        let counts: UnsafeMutablePointer<Int>
        /// `[R]`: what is added to scores, a pointer each, and a head's sink.
        let biases: UnsafeMutablePointer<UnsafePointer<Float>?>
        let sinks: UnsafeMutablePointer<Float>
        /// `[R, capacity]`, where biases are put together for each row.
        let biasRows: UnsafeMutablePointer<Float>?
        let biasRowLength: Int

        func biasRow(_ row: Int) -> UnsafeMutablePointer<Float>? { biasRows.map { $0 + row * biasRowLength } }
    }

    func attentionTile(_ part: Int) -> AttentionTile {
        let floats = tileBuffer.base + part * tileFloats
        let ranges = tileRanges + part * 2 * Self.packedTileRows
        return AttentionTile(
            queries: floats, results: floats + Self.packedTileRows * headWidth,
            scratch: floats + 2 * Self.packedTileRows * headWidth, firsts: ranges,
            counts: ranges + Self.packedTileRows, biases: tileBiases + part * Self.packedTileRows,
            sinks: tileSinks.base + part * Self.packedTileRows,
            biasRows: biasRowLength > 0 ? tileBiasRows.base + part * Self.packedTileRows * biasRowLength : nil,
            biasRowLength: biasRowLength)
    }

    // Numbers of 16 bits that a token's key and value take where they are packed; see `pack_tokens`.
    private static func packedKeyNumbers(_ width: Int) -> Int { 2 * width.roundedUp(to: 32) }
    private static func packedValueNumbers(_ width: Int) -> Int { width.roundedUp(to: 16) }

    /// One layer's keys of one head, packed, from a token on that is a multiple of 32.
    func packedKeys(_ head: Int, from token: Int, width: Int) -> UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(packedKeyBuffer.base).assumingMemoryBound(to: UInt16.self)
            + (head * tokens + token) * Self.packedKeyNumbers(width)
    }

    func packedValues(_ head: Int, from token: Int, width: Int) -> UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(packedValueBuffer.base).assumingMemoryBound(to: UInt16.self)
            + (head * tokens + token) * Self.packedValueNumbers(width)
    }

    func rotaryTable(_ spec: RotarySpec) -> RotaryTable {
        guard let table = rotaryTables.first(where: { $0.spec == spec }) else {
            preconditionFailure("no table for \(spec)")
        }
        return table
    }

    /// What is added to a layer's scores; nil where nothing is.
    func positionBias(_ spec: PositionBias) -> PositionBiasTable? {
        if case .none = spec { return nil }
        guard let table = biasTables.first(where: { $0.spec == spec }) else {
            preconditionFailure("no table for \(spec)")
        }
        return table
    }

    /// Works out what layers share, for tokens `first..<first + count` of a text of `length`, or for several texts.
    func prepare(
        first: Int, count: Int, length: Int, texts: PackedTexts?, phase: Phase, positionBias: [Float]?
    ) {
        for table in rotaryTables {
            if let texts {
                for text in texts.places {
                    table.prepare(
                        first: text.held, count: text.rows, length: text.length, phase: phase,
                        fromRow: text.firstRow)
                }
            } else {
                table.prepare(first: first, count: count, length: length, phase: phase)
            }
        }
        guard let positionBias else { return }
        for table in biasTables { table.learn(positionBias) }
    }
}

extension ModelSpec {
    /// Elements of rows that are neither the stream's nor a layer's.
    fileprivate var tableWidth: Int {
        switch stem {
        case .tokens(let stem): max(stem.tableWidth ?? 0, head?.tableWidth ?? 0)
        case .patches(let stem): stem.pixels
        }
    }
}

extension AttentionSpec {
    fileprivate var latentRank: Int {
        if case .latent(let latent) = projection { max(latent.queryRank ?? 0, latent.keyValueRank) } else { 0 }
    }
}

/// What one forward pass works with.
struct ForwardContext {
    let compute: Compute
    let phase: Phase
    let scratch: Scratch
    let cache: KeyValueCache
    /// The texts of this pass; nil where it is the next part of the one in the cache.
    var texts: PackedTexts?
    var probe: Probe?
    /// Rows of the pass that stand in front of the text, and the place in the text of the one behind them.
    var front = 0
    var firstPosition = 0

    func multiply(
        _ x: Rows, by first: Product, _ second: Product? = nil, _ third: Product? = nil, finish: Finish = .nothing
    ) {
        if let observer = scratch.observer {
            for product in [first, second, third].compactMap(\.self) { observer(x, product.weights) }
        }
        compute.multiply(x, by: first, second, third, finish: finish, phase: phase, scratch: scratch.products)
    }
}
