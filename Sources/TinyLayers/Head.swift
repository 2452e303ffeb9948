import CTinyKernels
import TinyTensor

/// How the residual stream becomes logits.
///
///     logits = cap(W · f(x) + b)               x scaled already
struct Head: Sendable {
    private let spec: HeadSpec
    /// `[V, D]`
    private let table: Weights
    /// `[V]`
    private let bias: [Float]?
    private let projection: Linear?
    private let transform: (dense: Linear, norm: Norm)?
    /// `[V]`: what brings each row of the table to unit length.
    private let rowScales: [Float]?

    init(_ spec: HeadSpec, _ model: ModelSpec, from weights: some WeightProvider) throws {
        self.spec = spec
        let width = spec.tableWidth ?? model.width
        let slot: ModelSlot = spec.weight == .tied ? .tokenTable : .head
        rowScales =
            spec.unitRows
            ? try weights.matrix(.model(slot, .weight), rows: model.vocabulary, columns: width).inverseLengths() : nil
        table = try weights.weights(.model(slot, .weight), rows: model.vocabulary, columns: width)
        bias = spec.bias ? try weights.vector(.model(.head, .bias), count: model.vocabulary) : nil
        projection = try spec.tableWidth.map {
            try Linear({ .model(.headProjection, $0) }, rows: $0, columns: model.width, bias: false, from: weights)
        }
        transform = try spec.transform.map { transform in
            (
                try Linear(
                    { .model(.headTransform, $0) }, rows: model.width, columns: model.width, bias: true, from: weights),
                try Norm(transform.norm, { .model(.headNorm, $0) }, width: model.width, from: weights)
            )
        }
    }

    /// - Parameters:
    ///   - x: `[T, D]`
    ///   - logits: `[T, V]`, overwritten.
    func callAsFunction(_ x: Rows, into logits: Rows, _ context: ForwardContext) {
        var x = x
        if let transform, let function = spec.transform?.activation {
            let y = context.scratch.normed.rows(x.count, width: transform.dense.outputs)
            context.multiply(x, by: transform.dense.product(into: y), finish: .activation(function.kernel))
            transform.norm(y, into: y, context.compute)
            x = y
        }
        if let projection {
            let y = context.scratch.tableRows.rows(x.count, width: projection.outputs)
            projection(x, into: y, context)
            x = y
        }
        context.multiply(x, by: Product(table, bias: rowScales == nil ? bias : nil, into: logits))
        let kernels = context.compute.kernels.table.pointee
        if let rowScales {
            for t in 0..<logits.count { for j in 0..<logits.width { logits[t][j] *= rowScales[j] } }
            if let bias { for t in 0..<logits.count { kernels.add(logits[t], bias, logits.width) } }
        }
        guard let cap = spec.cap else { return }
        context.compute.pool.forRanges(of: logits.count) { for t in $0 { kernels.cap(logits[t], cap, logits.width) } }
    }
}

extension Matrix {
    /// One over the length of each row; the reference takes no length below 10⁻¹².
    fileprivate func inverseLengths() -> [Float] {
        let row = RowBuffer(capacity: columns)
        return (0..<rows).map { index in
            expand(row: index, into: row.base)
            let squares = (0..<columns).reduce(0.0) { $0 + Double(row.base[$1]) * Double(row.base[$1]) }
            return Float(1 / max(squares.squareRoot(), 1e-12))
        }
    }
}
