import Foundation
import TinyLayers

extension ReferenceModel {
    func feedForward(_ spec: FeedForwardSpec, _ i: Int, _ x: [Vector]) -> [Vector] {
        switch spec {
        case .dense(let network): x.map { self.network(network, $0) { .layer(i, .network($0), $1) } }
        case .mixture(let spec): x.map { mixture(spec, i, $0) }
        }
    }

    private func network(_ spec: NetworkSpec, _ x: Vector, _ slot: @escaping (Projection, Part) -> Slot) -> Vector {
        func linear(_ projection: Projection, _ x: Vector, _ rows: Int) -> Vector {
            self.linear({ slot(projection, $0) }, x, rows, bias: spec.bias)
        }
        var hidden = linear(.up, x, spec.hidden)
        switch spec.form {
        case .plain: hidden = hidden.map { activate(spec.activation, $0) }
        case .gated:
            hidden = zip(linear(.gate, x, spec.hidden), hidden).map { activate(spec.activation, $0) * $1 }
        case .clampedGate(let limit, let stretch):
            let (limit, stretch) = (Double(limit), Double(stretch))
            hidden = zip(linear(.gate, x, spec.hidden), hidden).map {
                activate(spec.activation, stretch * min($0, limit)) / stretch * (min(max($1, -limit), limit) + 1)
            }
        }
        return linear(.down, hidden, self.spec.width)
    }

    private func mixture(_ spec: MixtureSpec, _ i: Int, _ x: Vector) -> Vector {
        var scores = linear({ .layer(i, .router, $0) }, x, spec.experts, bias: spec.routerBias)
        switch spec.scores {
        case .softmax: scores = softmax(scores)
        case .sigmoid: scores = scores.map { 1 / (1 + exp(-$0)) }
        case .softmaxOfChosen: break
        }
        var ranks = scores
        if spec.choiceBias { ranks = add(ranks, vector(.layer(i, .choiceBias, .weight), spec.experts)) }
        var open = Array(0..<spec.experts)
        if let groups = spec.groups {
            let size = spec.experts / groups.count
            let worths = (0..<groups.count).map { group in
                open.filter { $0 / size == group }.map { ranks[$0] }.sorted(by: >).prefix(2).reduce(0, +)
            }
            let best = worths.indices.sorted { worths[$0] > worths[$1] }.prefix(groups.chosen)
            open.removeAll { !best.contains($0 / size) }
        }
        let chosen = Array(open.sorted { ranks[$0] > ranks[$1] }.prefix(spec.chosen))
        var shares = chosen.map { scores[$0] }
        if spec.scores == .softmaxOfChosen { shares = softmax(shares) }
        switch spec.normalization {
        case .none: break
        case .sum(let little): shares = shares.map { $0 / (shares.reduce(0, +) + Double(little)) }
        case .sumAtLeast(let least): shares = shares.map { $0 / max(shares.reduce(0, +), Double(least)) }
        }
        var y = Vector(repeating: 0, count: x.count)
        for (expert, share) in zip(chosen, shares) {
            let part = network(spec.expert, x) { .expert(layer: i, expert: expert, $0, $1) }
            y = add(y, part.map { $0 * share * Double(spec.scale) })
        }
        guard let shared = spec.shared else { return y }
        var part = network(shared.network, x) { .layer(i, .shared($0), $1) }
        if shared.isGated {
            let gate = linear({ .layer(i, .sharedGate, $0) }, x, 1, bias: false)[0]
            part = part.map { $0 / (1 + exp(-gate)) }
        }
        return add(y, part)
    }

    func softmax(_ x: Vector) -> Vector {
        let exponentials = x.map { exp($0 - (x.max() ?? 0)) }
        return exponentials.map { $0 / exponentials.reduce(0, +) }
    }
}
