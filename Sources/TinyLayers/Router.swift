import CTinyKernels
import TinyTensor

/// Chooses experts for each token.
struct Router: Sendable {
    private let spec: MixtureSpec
    /// `[E, D]`
    private let logits: Linear
    /// `[E]`
    private let choiceBias: [Float]?

    init(_ spec: MixtureSpec, layer: Int, width: Int, from weights: some WeightProvider) throws {
        self.spec = spec
        logits = try Linear(
            { .layer(layer, .router, $0) }, rows: spec.experts, columns: width, bias: spec.routerBias, from: weights)
        choiceBias =
            spec.choiceBias ? try weights.vector(.layer(layer, .choiceBias, .weight), count: spec.experts) : nil
    }

    /// - Parameter x: `[T, D]`
    func choose(_ x: Rows, into choice: ExpertChoice, _ context: ForwardContext) {
        let scores = context.scratch.routerScores.rows(x.count, width: spec.experts)
        let ranks = context.scratch.routerRanks.rows(x.count, width: spec.experts)
        logits(x, into: scores, context)
        choice.begin(tokens: x.count, chosen: spec.chosen)
        for t in 0..<x.count { choose(scores[t], ranks[t], choice, token: t, context.compute) }
    }

    /// - Parameters:
    ///   - scores: `[E]`, logits; overwritten.
    ///   - ranks: `[E]`, scratch: what the choice goes by.
    private func choose(
        _ scores: UnsafeMutablePointer<Float>, _ ranks: UnsafeMutablePointer<Float>, _ choice: ExpertChoice, token: Int,
        _ compute: Compute
    ) {
        let count = spec.experts
        switch spec.scores {
        case .softmax: compute.kernels.table.pointee.softmax(scores, count)
        case .sigmoid: for e in 0..<count { scores[e] = logistic(scores[e]) }
        case .softmaxOfChosen: break
        }
        for e in 0..<count { ranks[e] = scores[e] + (choiceBias?[e] ?? 0) }
        if let groups = spec.groups { closeGroups(groups, ranks) }

        let experts = choice.experts(of: token)
        let weights = choice.weights(of: token)
        for k in 0..<spec.chosen {
            var best = 0
            for e in 1..<max(1, count) where ranks[e] > ranks[best] { best = e }
            ranks[best] = -.infinity
            var place = k  // in the order of their numbers
            while place > 0 && experts[place - 1] > best {
                experts[place] = experts[place - 1]
                place -= 1
            }
            experts[place] = best
        }
        for k in 0..<spec.chosen { weights[k] = scores[experts[k]] }
        if spec.scores == .softmaxOfChosen {
            compute.kernels.table.pointee.softmax(weights.baseAddress!, spec.chosen)
        }
        var divisor: Float = 1
        let sum = weights.reduce(0, +)
        switch spec.normalization {
        case .none: break
        case .sum(let little): divisor = sum + little
        case .sumAtLeast(let least): divisor = max(sum, least)
        }
        for k in 0..<spec.chosen { weights[k] *= spec.scale / divisor }
    }

    /// Takes all but the best groups out; a group is as good as its two best experts together.
    private func closeGroups(_ groups: MixtureSpec.Groups, _ ranks: UnsafeMutablePointer<Float>) {
        let size = spec.experts / groups.count
        func worth(_ group: Int) -> Float {
            var (first, second) = (-Float.infinity, -Float.infinity)
            for e in group * size..<(group + 1) * size {
                if ranks[e] > first {
                    (first, second) = (ranks[e], first)
                } else if ranks[e] > second {
                    second = ranks[e]
                }
            }
            return size > 1 ? first + second : first
        }
        for _ in 0..<groups.count - groups.chosen {
            var worst: Int?
            var least = Float.infinity
            for group in 0..<groups.count where ranks[group * size] > -.infinity {
                let value = worth(group)
                // Of equal groups the first ones stay.
                if worst == nil || value <= least { (worst, least) = (group, value) }
            }
            guard let worst else { return }
            for e in worst * size..<(worst + 1) * size { ranks[e] = -.infinity }
        }
    }
}
