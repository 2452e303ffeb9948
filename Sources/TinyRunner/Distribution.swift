/// The probabilities that logits stand for, at temperature 1.
///
///     p(z) = exp(z − max) / Σⱼ exp(zⱼ − max)
///
/// What is no number has no chance; an infinite logit has all of it. Sums run in `Double`.
struct Distribution {
    let largest: Float
    /// Whether all logits are numbers.
    let isNumber: Bool
    /// Σⱼ exp(zⱼ − max)
    private let total: Double
    /// −Σⱼ pⱼ · log₂ pⱼ
    let entropy: Double

    init(_ logits: Span<Float>) {
        var largest = -Float.infinity
        var isNumber = true
        for i in logits.indices {
            if logits[i] > largest { largest = logits[i] }
            if logits[i].isNaN { isNumber = false }
        }
        var (total, weighed) = (0.0, 0.0)
        for i in logits.indices {
            let weight = Self.weight(logits[i], largest)
            if weight == 0 { continue }
            total += weight
            if logits[i] != largest { weighed += weight * (Double(logits[i]) - Double(largest)) }
        }
        (self.largest, self.isNumber, self.total) = (largest, isNumber, total)
        // −Σ p · ln p = ln Σ − Σ p · (z − max)
        entropy = max(0, logarithm(total) - weighed / total) / logarithm(2)
    }

    private static func weight(_ logit: Float, _ largest: Float) -> Double {
        logit == largest ? 1 : logit.isNaN ? 0 : exponential(Double(logit) - Double(largest))
    }

    func probability(of logit: Float) -> Double { Self.weight(logit, largest) / total }

    /// In nats.
    func logProbability(of logit: Float) -> Double {
        (logit == largest ? 0 : Double(logit) - Double(largest)) - logarithm(total)
    }
}
