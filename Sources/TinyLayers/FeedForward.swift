import CTinyKernels
import TinyTensor

/// The feed-forward network.
///
///     plain: y = f(x · Wupᵀ) · Wdownᵀ
///     gated: y = (f(x · Wgateᵀ) · (x · Wupᵀ)) · Wdownᵀ
package struct FeedForward: Sendable {
    let spec: FeedForwardSpec
    private let gate: Linear?
    private let up: Linear
    private let down: Linear

    init(_ spec: FeedForwardSpec, layer: Int, width: Int, from weights: some WeightProvider) throws {
        self.spec = spec
        func linear(_ slot: @escaping (Part) -> LayerSlot, _ rows: Int, _ columns: Int) throws -> Linear {
            try Linear({ .layer(layer, slot($0)) }, rows: rows, columns: columns, bias: spec.bias, from: weights)
        }
        gate = spec.form == .gated ? try linear(LayerSlot.gate, spec.hidden, width) : nil
        up = try linear(LayerSlot.up, spec.hidden, width)
        down = try linear(LayerSlot.down, width, spec.hidden)
    }

    /// - Parameters:
    ///   - x: `[T, D]`
    ///   - y: `[T, D]`, overwritten.
    func callAsFunction(_ x: Rows, into y: Rows, _ context: ForwardContext) {
        let hidden = context.scratch.hidden.rows(x.count, width: spec.hidden)
        let pool = context.compute.pool
        var factors: UnsafeMutablePointer<Float>?
        if let gate {
            let rows = context.scratch.factors.rows(x.count, width: spec.hidden)
            gate(x, into: hidden, context)
            up(x, into: rows, context)
            factors = rows.base
        } else {
            up(x, into: hidden, context)
        }
        let activation = Activation(pool: pool, function: spec.activation.kernel, hidden: hidden, factors: factors)
        pool.run(with: activation) { context, part in
            let it = context.assumingMemoryBound(to: Activation.self).pointee
            let range = it.pool.range(of: part, count: it.hidden.count * it.hidden.width, grain: 16)
            if let factors = it.factors {
                tk_activate_gated(
                    it.function, it.hidden.base + range.lowerBound, factors + range.lowerBound, range.count)
            } else {
                tk_activate(it.function, it.hidden.base + range.lowerBound, range.count)
            }
        }
        down(hidden, into: y, context)
    }
}

/// What threads need to know to apply the activation.
private struct Activation {
    let pool: ThreadPool
    let function: tk_activation
    let hidden: Rows
    /// What the result is multiplied by, where there is a gate.
    let factors: UnsafeMutablePointer<Float>?
}

extension FeedForwardSpec.Activation {
    fileprivate var kernel: tk_activation {
        switch self {
        case .silu: TK_SILU
        case .gelu: TK_GELU
        case .geluTanh: TK_GELU_TANH
        case .relu: TK_RELU
        }
    }
}
