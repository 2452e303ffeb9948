import CTinyKernels
import TinyTensor

/// A feed-forward network.
///
///     plain: y = f(x · Wupᵀ) · Wdownᵀ
///     gated: y = (f(x · Wgateᵀ) · (x · Wupᵀ)) · Wdownᵀ
struct Network: Sendable {
    let spec: NetworkSpec
    private let gate: Linear?
    private let up: Linear
    private let down: Linear

    init(_ spec: NetworkSpec, width: Int, from weights: some WeightProvider, _ slot: (Projection, Part) -> Slot) throws
    {
        self.spec = spec
        func linear(_ projection: Projection, _ rows: Int, _ columns: Int) throws -> Linear {
            try Linear({ slot(projection, $0) }, rows: rows, columns: columns, bias: spec.bias, from: weights)
        }
        gate = spec.form == .plain ? nil : try linear(.gate, spec.hidden, width)
        up = try linear(.up, spec.hidden, width)
        down = try linear(.down, width, spec.hidden)
    }

    /// - Parameters:
    ///   - x: `[T, D]`
    ///   - y: `[T, D]`, overwritten.
    func callAsFunction(_ x: Rows, into y: Rows, _ context: ForwardContext) {
        let hidden = hidden(x.count, context)
        let function = spec.activation.kernel
        if let gate, keepsRounded(gate, context) {
            // What is between the products takes a quarter of the room, and is never read as floats.
            let rounded = context.scratch.hidden.rounded(x.count, width: spec.hidden)
            context.multiply(
                x, by: gate.product(into: hidden), up.product(into: hidden),
                finish: .roundedGate(function, into: rounded))
            return context.compute.multiply(rounded, by: down.product(into: y), scratch: context.scratch.products)
        }
        if let gate {
            let factors = context.scratch.factors.rows(x.count, width: spec.hidden)
            var finish = Finish.gate(function)
            if case .clampedGate(let limit, let stretch) = spec.form {
                finish = .clampedGate(function, limit: limit, stretch: stretch)
            }
            context.multiply(x, by: gate.product(into: hidden), up.product(into: factors), finish: finish)
        } else {
            context.multiply(x, by: up.product(into: hidden), finish: .activation(function))
        }
        down(hidden, into: y, context)
    }

    private func keepsRounded(_ gate: Linear, _ context: ForwardContext) -> Bool {
        spec.form == .gated && gate.bias == nil && up.bias == nil && context.probe == nil
            && context.scratch.observer == nil
            && context.compute.keepsRounded(gate.weight, up.weight, to: down.weight, phase: context.phase)
    }

    /// `[T, F]`: what was made last between the two products.
    func hidden(_ rows: Int, _ context: ForwardContext) -> Rows {
        context.scratch.hidden.rows(rows, width: spec.hidden)
    }
}

extension NetworkSpec.Activation {
    var kernel: tk_activation {
        switch self {
        case .silu: TK_SILU
        case .gelu: TK_GELU
        case .geluTanh: TK_GELU_TANH
        case .geluQuick: TK_GELU_QUICK
        case .relu: TK_RELU
        }
    }
}
