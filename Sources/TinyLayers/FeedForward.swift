import TinyTensor

/// The second half of a layer.
enum FeedForward: Sendable {
    case dense(Network)
    case mixture(Mixture)

    init(_ spec: FeedForwardSpec, layer: Int, width: Int, from weights: some WeightProvider) throws {
        switch spec {
        case .dense(let network):
            self = .dense(
                try Network(network, width: width, from: weights) { .layer(layer, .network($0), $1) })
        case .mixture(let mixture):
            self = .mixture(try Mixture(mixture, layer: layer, width: width, from: weights))
        }
    }

    /// - Parameters:
    ///   - x: `[T, D]`
    ///   - y: `[T, D]`, overwritten.
    ///   - layer: whose it is, for probes.
    func callAsFunction(_ x: Rows, into y: Rows, layer: Int, _ context: ForwardContext) {
        switch self {
        case .dense(let network):
            network(x, into: y, context)
            context.show(.hidden(layer + 1), network.hidden(x.count, context))
        case .mixture(let mixture): mixture(x, into: y, layer: layer, context)
        }
    }
}

extension FeedForwardSpec {
    /// The networks in it, one of a kind.
    var networks: [NetworkSpec] {
        switch self {
        case .dense(let network): [network]
        case .mixture(let mixture): [mixture.expert] + (mixture.shared.map { [$0.network] } ?? [])
        }
    }
}
