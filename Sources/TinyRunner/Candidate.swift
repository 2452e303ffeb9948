/// A token that might come next.
public struct Candidate: Sendable, Equatable {
    public let token: Int
    public let logit: Float
    /// Among all tokens, at temperature 1.
    public let probability: Float

    /// The likeliest tokens, the first first.
    public static func top(_ count: Int, of logits: Span<Float>) -> [Candidate] {
        var largest = -Float.infinity
        for i in 0..<logits.count { largest = max(largest, logits[i]) }
        // What is no number has no chance; an infinite logit has all of it.
        func weight(_ logit: Float) -> Double {
            logit == largest ? 1 : logit.isNaN ? 0 : exponential(Double(logit - largest))
        }
        var total = 0.0
        for i in 0..<logits.count { total += weight(logits[i]) }
        // A short list kept in order serves better than sorting a vocabulary.
        var best: [Candidate] = []
        for i in 0..<logits.count {
            let logit = logits[i]
            if logit.isNaN { continue }
            if best.count == count, let last = best.last, !(logit > last.logit) { continue }
            let place = best.firstIndex { logit > $0.logit } ?? best.count
            let probability = Float(weight(logit) / total)
            best.insert(Candidate(token: i, logit: logit, probability: probability), at: place)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}
