import TinyTensor

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
    private let tileBuffer: RowBuffer
    private let tileRanges: UnsafeMutablePointer<Int>
    private let tileFloats: Int
    private let headWidth: Int
    private let rotaryTables: [RotaryTable]

    /// - Parameters:
    ///   - capacity: the most tokens in the cache.
    ///   - rows: the most tokens in one pass.
    ///   - logitRows: for how many of them logits are wanted at most.
    package init(spec: ModelSpec, capacity: Int, rows: Int, logitRows: Int, threads: Int) {
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
        tileFloats = (Self.tileRows * (capacity + 2 * headWidth)).roundedUp(to: 16)
        tileBuffer = RowBuffer(capacity: threads * tileFloats)
        tileRanges = .allocate(capacity: threads * 2 * Self.tileRows)
        tileRanges.initialize(repeating: 0, count: threads * 2 * Self.tileRows)
        rotaryTables = Set(attention.compactMap(\.rotary)).map { RotaryTable($0, capacity: rows) }
    }

    deinit { tileRanges.deallocate() }

    /// Bytes for each token of the cache's capacity.
    package static func bytesPerToken(threads: Int) -> Int { threads * tileRows * MemoryLayout<Float>.size }

    /// The most rows of queries that attention takes together.
    static let tileRows = 12

    /// A thread's memory for queries that are taken together: `R = tileRows`.
    struct AttentionTile {
        /// `[R, d]`
        let queries: UnsafeMutablePointer<Float>
        /// `[R, d]`
        let results: UnsafeMutablePointer<Float>
        /// `[R, capacity]`
        let scores: UnsafeMutablePointer<Float>
        /// `[R]`: the first token that a row sees, and one past the last.
        let firsts: UnsafeMutablePointer<Int>
        let counts: UnsafeMutablePointer<Int>
    }

    func attentionTile(_ part: Int) -> AttentionTile {
        let floats = tileBuffer.base + part * tileFloats
        let ranges = tileRanges + part * 2 * Self.tileRows
        return AttentionTile(
            queries: floats, results: floats + Self.tileRows * headWidth,
            scores: floats + 2 * Self.tileRows * headWidth,
            firsts: ranges, counts: ranges + Self.tileRows)
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
}
