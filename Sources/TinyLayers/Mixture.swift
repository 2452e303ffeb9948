import CTinyKernels
import TinyTensor

/// Many networks, of which each token is read by a few.
///
/// Experts are taken in the order of their numbers, so that a token's sum does not depend on who was read with it.
struct Mixture: Sendable {
    let spec: MixtureSpec
    private let router: Router
    private let experts: [Network]
    private let shared: Network?
    /// `[1, D]`
    private let sharedGate: Linear?

    init(_ spec: MixtureSpec, layer: Int, width: Int, from weights: some WeightProvider) throws {
        self.spec = spec
        router = try Router(spec, layer: layer, width: width, from: weights)
        experts = try (0..<spec.experts).map { expert in
            try Network(spec.expert, width: width, from: weights) {
                .expert(layer: layer, expert: expert, $0, $1)
            }
        }
        shared = try spec.shared.map { shared in
            try Network(shared.network, width: width, from: weights) { .layer(layer, .shared($0), $1) }
        }
        sharedGate =
            spec.shared?.isGated == true
            ? try Linear({ .layer(layer, .sharedGate, $0) }, rows: 1, columns: width, bias: false, from: weights) : nil
    }

    /// - Parameters:
    ///   - x: `[T, D]`
    ///   - y: `[T, D]`, overwritten.
    ///   - layer: whose it is, for probes.
    func callAsFunction(_ x: Rows, into y: Rows, layer: Int, _ context: ForwardContext) {
        let choice = context.scratch.choice
        router.choose(x, into: choice, context)
        addShared(x, into: y, layer: layer, context)
        for expert in experts.indices {
            let count = choice.gather(expert)
            if count == 0 { continue }
            var inputs = x
            if x.count > 1 {
                inputs = context.scratch.gathered.rows(count, width: x.width)
                choice.copy(x, to: inputs)
            }
            let outputs = context.scratch.expertOutput.rows(count, width: x.width)
            experts[expert](inputs, into: outputs, context)
            if context.probe != nil {
                context.show(
                    .hidden(layer + 1), experts[expert].hidden(count, context), tokens: choice.gatheredTokenNumbers,
                    expert: .number(expert))
            }
            choice.add(outputs, to: y, context.compute)
        }
    }

    /// y ← shared(x), or 0.
    private func addShared(_ x: Rows, into y: Rows, layer: Int, _ context: ForwardContext) {
        guard let shared else { return y.base.update(repeating: 0, count: y.count * y.width) }
        shared(x, into: y, context)
        context.show(.hidden(layer + 1), shared.hidden(x.count, context), expert: .shared)
        guard let sharedGate else { return }
        let gates = context.scratch.gates.rows(x.count, width: 1)
        sharedGate(x, into: gates, context)
        for t in 0..<y.count {
            context.compute.kernels.table.pointee.scale(y[t], logistic(gates[t][0]), y.width)
        }
    }
}
