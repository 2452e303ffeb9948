import CTinyKernels
import TinyTensor

/// How tokens enter the residual stream.
///
///     x[t] = norm(scale · table[token[t]] · Wᵀ + positions[C − P + t] + types[type[t]])
///
/// In front of a text stand the prefix's vectors, if there are any.
struct TokenStem: Sendable {
    private let spec: TokenStemSpec
    /// `[V, D]`, or of another width that is projected to D.
    private let table: Matrix
    private let projection: Linear?
    /// `[rows, D]`
    private let positions: Matrix?
    /// `[kinds, D]`
    private let types: Matrix?
    /// `[P, D]`
    private let prefix: Matrix?
    private let norm: Norm?

    init(_ spec: TokenStemSpec, _ model: ModelSpec, from weights: some WeightProvider) throws {
        self.spec = spec
        let width = model.width
        table = try weights.matrix(
            .model(.tokenTable, .weight), rows: model.vocabulary, columns: spec.tableWidth ?? width)
        projection = try spec.tableWidth.map {
            try Linear({ .model(.stemProjection, $0) }, rows: width, columns: $0, bias: false, from: weights)
        }
        func matrix(_ slot: ModelSlot, rows: Int) throws -> Matrix? {
            rows == 0 ? nil : try weights.matrix(.model(slot, .weight), rows: rows, columns: width)
        }
        switch spec.positions {
        case .none: positions = nil
        case .learned(let rows): positions = try matrix(.positionTable, rows: rows)
        }
        types = try matrix(.typeTable, rows: spec.types)
        prefix = try matrix(.prefix, rows: spec.prefix)
        norm = try spec.norm.map { try Norm($0, { .model(.stemNorm, $0) }, width: width, from: weights) }
    }

    /// - Parameters:
    ///   - tokens: T ids.
    ///   - types: the kind of each, all of the first kind if nil.
    ///   - x: `[P + T, D]` at the beginning of a text, then `[T, D]`, overwritten.
    func callAsFunction(
        _ tokens: UnsafeBufferPointer<Int>, types kinds: [Int]?, into x: Rows, _ context: ForwardContext
    ) {
        let front = x.count - tokens.count
        if let prefix { for p in 0..<front { prefix.expand(row: p, into: x[p]) } }
        let rows = x.slice(front..<x.count)
        let vectors = projection == nil ? rows : context.scratch.tableRows.rows(rows.count, width: table.columns)
        for (t, token) in tokens.enumerated() { table.expand(row: token, into: vectors[t]) }
        vectors.scale(by: spec.scale, context.compute)
        projection?(vectors, into: rows, context)
        for t in 0..<rows.count {
            if let positions { add(positions, row: position(ofRow: t, context), to: rows[t]) }
            if let types { add(types, row: kinds?[t] ?? 0, to: rows[t]) }
        }
        norm?(x, into: x, context.compute)
    }

    /// Positions are the text's, without the prefix.
    private func position(ofRow row: Int, _ context: ForwardContext) -> Int {
        context.texts?.positions[row] ?? max(0, context.cache.count - spec.prefix) + row
    }

    private func add(_ table: Matrix, row: Int, to x: UnsafeMutablePointer<Float>) {
        tk_add_row(table.type.kernelType, table.row(row).baseAddress, table.columns, x)
    }
}
