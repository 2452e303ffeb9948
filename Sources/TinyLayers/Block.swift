import TinyTensor

/// The one transformer block: attention and feed-forward, wired to the residual stream by either of two rules.
/// A class, so that going through the layers copies no weights' owners.
package final class Block: Sendable {
    private let layer: Int
    private let attention: Attention?
    private let feedForward: FeedForward?
    private let wiring: Wiring
    private let branchScale: Float
    private let sumScale: Float

    /// The spec's wiring with weights in its norms.
    private enum Wiring: Sendable {
        case sequential(attention: Norms, feedForward: Norms)
        case parallel(attention: Norm, feedForward: Norm?)
    }

    private struct Norms: Sendable {
        let onStream: Norm?
        let before: Norm?
        let after: Norm?
        let onSum: Norm?
    }

    init(_ spec: LayerSpec, layer: Int, width: Int, from weights: some WeightProvider) throws {
        func norm(_ spec: NormSpec?, _ role: NormRole) throws -> Norm? {
            try spec.map { try Norm($0, { .layer(layer, .norm(role), $0) }, width: width, from: weights) }
        }
        switch spec.wiring {
        case .sequential(var first, var second):
            if !spec.hasAttention { first = NormPlacement() }
            if !spec.hasFeedForward { second = NormPlacement() }
            wiring = .sequential(
                attention: Norms(
                    onStream: try norm(first.onStream, .onAttentionStream),
                    before: try norm(first.before, .beforeAttention), after: try norm(first.after, .afterAttention),
                    onSum: try norm(first.onSum, .onAttentionSum)),
                feedForward: Norms(
                    onStream: try norm(second.onStream, .onFeedForwardStream),
                    before: try norm(second.before, .beforeFeedForward),
                    after: try norm(second.after, .afterFeedForward), onSum: try norm(second.onSum, .onFeedForwardSum)))
        case .parallel(let first, let second):
            wiring = .parallel(
                attention: try Norm(
                    first, { .layer(layer, .norm(.beforeAttention), $0) }, width: width, from: weights),
                feedForward: try norm(second, .beforeFeedForward))
        }
        self.layer = layer
        (branchScale, sumScale) = (spec.branchScale, spec.sumScale)
        attention =
            spec.hasAttention ? try Attention(spec.attention, layer: layer, width: width, from: weights) : nil
        feedForward =
            spec.hasFeedForward ? try FeedForward(spec.feedForward, layer: layer, width: width, from: weights) : nil
    }

    /// - Parameter x: `[T, D]`, the residual stream, changed in place.
    func callAsFunction(_ x: Rows, _ context: ForwardContext) {
        let branch = context.scratch.branch.rows(x.count, width: x.width)
        let compute = context.compute
        let normed = context.scratch.normed.rows(x.count, width: x.width)
        switch wiring {
        case .sequential(let first, let second):
            if let attention {
                add(first, to: x, branch: branch, normed: normed, compute) { attention($0, into: $1, context) }
            }
            if let feedForward {
                add(second, to: x, branch: branch, normed: normed, compute) {
                    feedForward($0, into: $1, layer: layer, context)
                }
            }
        case .parallel(let attentionNorm, let feedForwardNorm):
            // Both branches read the stream as it was, so the first waits for the second before it is added.
            let waiting = context.scratch.waiting.rows(x.count, width: x.width)
            attentionNorm(x, into: normed, compute)
            attention?(normed, into: waiting, context)
            feedForwardNorm?(x, into: normed, compute)
            feedForward?(normed, into: branch, layer: layer, context)
            if attention != nil { waiting.scale(by: branchScale, compute) }
            if feedForward != nil { branch.scale(by: branchScale, compute) }
            if attention != nil { x.add(waiting, compute) }
            if feedForward != nil { x.add(branch, compute) }
            x.scale(by: sumScale, compute)
        }
    }

    /// `x ← onStream(x)`, then `x ← onSum(x + after(f(before(x))))`
    private func add(
        _ norms: Norms, to x: Rows, branch: Rows, normed: Rows, _ compute: Compute, _ f: (Rows, Rows) -> Void
    ) {
        norms.onStream?(x, into: x, compute)
        if let before = norms.before {
            before(x, into: normed, compute)
            f(normed, branch)
        } else {
            f(x, branch)
        }
        norms.after?(branch, into: branch, compute)
        branch.scale(by: branchScale, compute)
        x.add(branch, compute)
        x.scale(by: sumScale, compute)
        norms.onSum?(x, into: x, compute)
    }
}
