/// What a model expects at one place of a text.
public struct Prediction: Sendable, Equatable {
    /// The likeliest tokens, the first first.
    public let candidates: [Candidate]
    /// How open the choice is, in bits: 0 where one token is certain, log₂ V where all are equally likely.
    ///
    ///     −Σⱼ pⱼ · log₂ pⱼ
    public let entropy: Double

    /// - Parameter top: how many candidates to keep.
    public init(_ logits: Span<Float>, top: Int) { self.init(logits, top: top, Distribution(logits)) }

    init(_ logits: Span<Float>, top: Int, _ distribution: Distribution) {
        candidates = Candidate.top(top, of: logits, distribution)
        entropy = distribution.entropy
    }
}

/// How likely a token was where it stands.
public struct TokenScore: Sendable, Equatable {
    /// ln p
    public let logProbability: Double
    /// 1 for the likeliest token; among equals the smaller id comes first.
    public let rank: Int

    public var probability: Double { exponential(logProbability) }

    /// - Precondition: `token` is one of the logits.
    public init(of token: Int, _ logits: Span<Float>) { self.init(of: token, logits, Distribution(logits)) }

    init(of token: Int, _ logits: Span<Float>, _ distribution: Distribution) {
        let logit = logits[token]
        var before = 0
        for i in logits.indices where logits[i] > logit || (logits[i] == logit && i < token) { before += 1 }
        logProbability = distribution.logProbability(of: logit)
        rank = before + 1
    }

    /// Of the likeliest token.
    init(_ distribution: Distribution) {
        logProbability = distribution.logProbability(of: distribution.largest)
        rank = 1
    }
}
