import CTinyKernels
import TinyTensor

/// What a pooler makes of a text or an image.
package struct Pooled: Sendable {
    /// `[D]`, the row that speaks for the whole, behind the norm.
    package let row: [Float]
    /// `[width]`
    package let vector: [Float]
    /// The same divided by its length, where the spec says so.
    package let embedding: [Float]
}

/// How the residual stream becomes one vector for the whole.
///
///     y = f(W · norm(x[t]) + b)
struct Pooler: Sendable {
    private let spec: PoolerSpec
    private let norm: Norm?
    private let dense: Linear

    init(_ spec: PoolerSpec, width: Int, from weights: some WeightProvider) throws {
        self.spec = spec
        norm = try spec.norm.map { try Norm($0, { .model(.poolerNorm, $0) }, width: width, from: weights) }
        dense = try Linear({ .model(.pooler, $0) }, rows: spec.width, columns: width, bias: spec.bias, from: weights)
    }

    /// - Parameters:
    ///   - x: `[T, D]`, the whole text or image.
    ///   - tokens: its ids, where it has any.
    func callAsFunction(_ x: Rows, tokens: UnsafeBufferPointer<Int>, _ context: ForwardContext) -> Pooled {
        var row = 0
        switch spec.row {
        case .first: break
        case .token(let token): row = tokens.firstIndex(of: token) ?? 0
        case .largestToken: row = tokens.indices.max { (tokens[$0], $1) < (tokens[$1], $0) } ?? 0
        }
        let input = context.scratch.normed.rows(1, width: x.width)
        input.copy(from: x.slice(row..<row + 1))
        norm?(input, into: input, context.compute)
        let output = RowBuffer(capacity: spec.width)
        let y = output.rows(1, width: spec.width)
        dense(input, into: y, context)
        if spec.activation == .tanh { context.compute.kernels.table.pointee.cap(y[0], 1, spec.width) }
        guard spec.unitLength else { return Pooled(row: input.values, vector: y.values, embedding: y.values) }
        let length = y.values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return Pooled(
            row: input.values, vector: y.values, embedding: y.values.map { Float(Double($0) / length) })
    }
}
