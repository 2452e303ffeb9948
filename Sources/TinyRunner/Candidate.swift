/// A token that might come next.
public struct Candidate: Sendable, Equatable {
    public let token: Int
    public let logit: Float
    /// Among all tokens, at temperature 1.
    public let probability: Float

    /// The likeliest tokens, the first first.
    public static func top(_ count: Int, of logits: Span<Float>) -> [Candidate] {
        top(count, of: logits, Distribution(logits))
    }

    static func top(_ count: Int, of logits: Span<Float>, _ distribution: Distribution) -> [Candidate] {
        LargestLogits(count, of: logits).entries.map {
            Candidate(token: $0.token, logit: $0.logit, probability: Float(distribution.probability(of: $0.logit)))
        }
    }
}
