import CTinyKernels
package import TinyTensor

/// Memory for the activations of one forward pass, of fixed size and one owner: nothing is allocated per token.
package final class Scratch {
    /// T: the most tokens in one pass.
    package let rows: Int
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

    /// - Parameters:
    ///   - capacity: the most tokens in the cache.
    ///   - rows: the most tokens in one pass.
    ///   - logitRows: for how many of them logits are wanted at most.
    package init(spec: ModelSpec, capacity: Int, rows: Int, logitRows: Int, compute: Compute) {
        let threads = compute.pool.threadCount
        self.rows = rows
        self.logitRows = logitRows
        let attention = spec.layers.map(\.attention)
        let queryWidth = attention.map { $0.heads * $0.headWidth }.max() ?? 0
        let keyWidth = attention.map { $0.keyValueHeads * $0.headWidth }.max() ?? 0
        let hiddenWidth = spec.layers.map(\.feedForward.hidden).max() ?? 0
        let isParallel = spec.layers.contains { if case .parallel = $0.wiring { true } else { false } }
        let isGated = spec.layers.contains { $0.feedForward.form == .gated }
        stream = RowBuffer(capacity: rows * spec.width)
        normed = RowBuffer(capacity: rows * spec.width)
        branch = RowBuffer(capacity: rows * spec.width)
        waiting = RowBuffer(capacity: isParallel ? rows * spec.width : 0)
        queries = RowBuffer(capacity: rows * queryWidth)
        keys = RowBuffer(capacity: rows * keyWidth)
        values = RowBuffer(capacity: rows * keyWidth)
        attended = RowBuffer(capacity: rows * queryWidth)
        hidden = RowBuffer(capacity: rows * hiddenWidth)
        factors = RowBuffer(capacity: isGated ? rows * hiddenWidth : 0)
        logits = RowBuffer(capacity: logitRows * spec.vocabulary)
        products = MatMulScratch(inputs: max(spec.width, queryWidth, hiddenWidth), rows: rows, threads: threads)
        headWidth = attention.map(\.headWidth).max() ?? 0
        let attentionFloats = max(
            tk_attention_floats(headWidth, Self.tileRows, capacity),
            compute.usesTiles ? compute.kernels.table.pointee.attend_packed_floats(headWidth) : 0)
        tileFloats = (attentionFloats + 2 * Self.packedTileRows * headWidth).roundedUp(to: 16)
        tokens = capacity.roundedUp(to: 32)
        let groups = compute.usesTiles ? attention.map(\.keyValueHeads).max() ?? 0 : 0
        packedKeyBuffer = RowBuffer(capacity: groups * tokens * Self.packedKeyNumbers(headWidth) / 2)
        packedValueBuffer = RowBuffer(capacity: groups * tokens * Self.packedValueNumbers(headWidth) / 2)
        tileBuffer = RowBuffer(capacity: threads * tileFloats)
        tileRanges = .allocate(capacity: threads * 2 * Self.packedTileRows)
        tileRanges.initialize(repeating: 0, count: threads * 2 * Self.packedTileRows)
        rotaryTables = Set(attention.compactMap(\.rotary)).map { RotaryTable($0, capacity: rows) }
    }

    deinit { tileRanges.deallocate() }

    /// Bytes for each token of the cache's capacity.
    package static func bytesPerToken(spec: ModelSpec, compute: Compute) -> Int {
        let packed = spec.layers.map(\.attention).map {
            $0.keyValueHeads * (packedKeyNumbers($0.headWidth) + packedValueNumbers($0.headWidth)) * 2
        }
        return compute.pool.threadCount * tileRows * MemoryLayout<Float>.size
            + (compute.usesTiles ? packed.max() ?? 0 : 0)
    }

    /// The most rows of queries that attention takes together, and how many kernels that work in tiles take.
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
    }

    func attentionTile(_ part: Int) -> AttentionTile {
        let floats = tileBuffer.base + part * tileFloats
        let ranges = tileRanges + part * 2 * Self.packedTileRows
        return AttentionTile(
            queries: floats, results: floats + Self.packedTileRows * headWidth,
            scratch: floats + 2 * Self.packedTileRows * headWidth, firsts: ranges,
            counts: ranges + Self.packedTileRows)
    }

    // Numbers of 16 bits that a token's key and value take where they are packed; see `pack_tokens`.
    private static func packedKeyNumbers(_ width: Int) -> Int { 2 * width.roundedUp(to: 32) }
    private static func packedValueNumbers(_ width: Int) -> Int { width.roundedUp(to: 16) }

    /// One layer's keys of one head, packed.
    func packedKeys(_ head: Int, width: Int) -> UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(packedKeyBuffer.base).assumingMemoryBound(to: UInt16.self)
            + head * tokens * Self.packedKeyNumbers(width)
    }

    func packedValues(_ head: Int, width: Int) -> UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(packedValueBuffer.base).assumingMemoryBound(to: UInt16.self)
            + head * tokens * Self.packedValueNumbers(width)
    }

    func rotaryTable(_ spec: RotarySpec) -> RotaryTable {
        guard let table = rotaryTables.first(where: { $0.spec == spec }) else {
            preconditionFailure("no table for \(spec)")
        }
        return table
    }

    func prepareRotaryTables(first: Int, count: Int, length: Int) {
        for table in rotaryTables { table.prepare(first: first, count: count, length: length) }
    }
}

/// What one forward pass works with.
struct ForwardContext {
    let compute: Compute
    let phase: Phase
    let scratch: Scratch
    let cache: KeyValueCache

    func multiply(
        _ x: Rows, by first: Product, _ second: Product? = nil, _ third: Product? = nil, finish: Finish = .nothing
    ) {
        compute.multiply(x, by: first, second, third, finish: finish, phase: phase, scratch: scratch.products)
    }
}
