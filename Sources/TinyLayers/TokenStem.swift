import CTinyKernels
import TinyTensor

/// How tokens enter the residual stream.
///
///     x[t] = table[token[t]] + positions[C + t]
package struct TokenStem: Sendable {
    /// `[V, D]`
    let table: Matrix
    /// `[rows, D]`
    private let positions: Matrix?

    var width: Int { table.columns }

    init(_ spec: ModelSpec, from weights: some WeightProvider) throws {
        table = try weights.matrix(.tokenTable, rows: spec.vocabulary, columns: spec.width)
        switch spec.stem.positions {
        case .none: positions = nil
        case .learned(let rows): positions = try weights.matrix(.positionTable, rows: rows, columns: spec.width)
        }
    }

    /// - Parameters:
    ///   - first: the first token's position.
    ///   - x: `[T, D]`, overwritten.
    func callAsFunction(_ tokens: UnsafeBufferPointer<Int>, first: Int, into x: Rows) {
        for (t, token) in tokens.enumerated() {
            table.expand(row: token, into: x[t])
            guard let positions else { continue }
            tk_add_row(positions.type.kernelType, positions.row(first + t).baseAddress, width, x[t])
        }
    }
}
