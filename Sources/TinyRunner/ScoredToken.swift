/// A token where it stands in a text, and how likely the model held it there.
public struct ScoredToken: Sendable, Equatable {
    public let token: Int
    /// Nil for the first token of a text, which nothing comes before, and where nobody asked.
    public let score: TokenScore?
    /// The likeliest tokens at this place, as many as were asked for; this one need not be among them.
    public let candidates: [Candidate]

    public init(_ token: Int, score: TokenScore? = nil, candidates: [Candidate] = []) {
        (self.token, self.score, self.candidates) = (token, score, candidates)
    }

    /// - Parameter top: how many candidates to keep.
    init(_ token: Int, _ logits: Span<Float>, top: Int) {
        let distribution = Distribution(logits)
        self.init(
            token, score: TokenScore(of: token, logits, distribution),
            candidates: Candidate.top(top, of: logits, distribution))
    }
}
