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
        let function = spec.activation.kernel
        if let gate {
            let factors = context.scratch.factors.rows(x.count, width: spec.hidden)
            context.multiply(x, by: gate.product(into: hidden), up.product(into: factors), finish: .gate(function))
        } else {
            context.multiply(x, by: up.product(into: hidden), finish: .activation(function))
        }
        down(hidden, into: y, context)
    }
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
