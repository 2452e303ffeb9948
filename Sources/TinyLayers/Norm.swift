import CTinyKernels
import TinyTensor

/// Brings each row to unit size, then scales it by learned weights.
///
///     layer: y = (x − mean(x)) / √(var(x) + ε) · weight + bias
///     rms:   y = x / √(mean(x²) + ε) · weight
package struct Norm: Sendable {
    let spec: NormSpec
    /// `[D]`. Checkpoints that store `weight − 1` are corrected while binding.
    let weight: [Float]
    /// `[D]`
    let bias: [Float]?

    init(_ spec: NormSpec, _ slot: (Part) -> Slot, width: Int, from weights: some WeightProvider) throws {
        self.spec = spec
        weight = try weights.vector(slot(.weight), count: width)
        if case .layer(_, bias: true) = spec {
            bias = try weights.vector(slot(.bias), count: width)
        } else {
            bias = nil
        }
    }

    /// - Precondition: `x` and `y` are `[T, D]`; they may be the same rows.
    func callAsFunction(_ x: Rows, into y: Rows, _ compute: Compute) {
        precondition(x.width == weight.count && y.width == x.width && x.count == y.count, "rows of a norm disagree")
        compute.pool.forRanges(of: x.count) { apply(x.slice($0), into: y.slice($0), compute.kernels.table.pointee) }
    }

    /// On the calling thread alone.
    func apply(_ x: Rows, into y: Rows, _ table: tk_kernels) {
        for t in 0..<x.count {
            switch spec {
            case .layer(let epsilon, _):
                if let bias {
                    table.layer_norm(y[t], x[t], weight, bias, epsilon, x.width)
                } else {
                    table.layer_norm(y[t], x[t], weight, nil, epsilon, x.width)
                }
            case .rms(let epsilon): table.rms_norm(y[t], x[t], weight, epsilon, x.width)
            }
        }
    }
}
