/// How the next token is chosen.
public struct Sampling: Sendable, Equatable {
    /// Divides the logits; 0 takes the likeliest token always.
    public var temperature: Float
    /// Only the k likeliest; 0 for all.
    public var topK: Int
    /// Only the likeliest that together have this probability.
    public var topP: Float
    /// Only those with this fraction of the likeliest one's probability.
    public var minP: Float
    /// Divides positive logits of tokens seen before, multiplies negative ones: Keskar et al. 2019, arXiv:1909.05858.
    public var repetitionPenalty: Float
    /// Taken off the logits of tokens generated before.
    public var presencePenalty: Float
    /// Taken off as often as the token was generated.
    public var frequencyPenalty: Float
    /// The same seed gives the same text; nil takes one at random.
    public var seed: UInt64?

    public init(
        temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0, repetitionPenalty: Float = 1,
        presencePenalty: Float = 0, frequencyPenalty: Float = 0, seed: UInt64? = nil
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.presencePenalty = presencePenalty
        self.frequencyPenalty = frequencyPenalty
        self.seed = seed
    }

    /// The likeliest token, always.
    public static let greedy = Sampling()

    /// At random, by the model's own probabilities.
    public static func sampled(
        temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0, seed: UInt64? = nil
    ) -> Sampling {
        Sampling(temperature: temperature, topK: topK, topP: topP, minP: minP, seed: seed)
    }

    /// - Throws: `RunnerError.badParameter` for a number that means nothing.
    package func check() throws(RunnerError) {
        func require(_ holds: Bool, _ name: String, _ value: Float, _ expected: String) throws(RunnerError) {
            if !holds { throw .badParameter(name: name, value: "\(value)", expected: expected) }
        }
        try require(temperature >= 0 && temperature.isFinite, "temperature", temperature, "a number from 0 on")
        try require(topK >= 0, "top-k", Float(topK), "a number from 0 on")
        try require(topP > 0 && topP <= 1, "top-p", topP, "a number above 0, at most 1")
        try require(minP >= 0 && minP <= 1, "min-p", minP, "a number from 0 to 1")
        try require(
            repetitionPenalty > 0 && repetitionPenalty.isFinite, "repetition-penalty", repetitionPenalty,
            "a number above 0")
        try require(presencePenalty.isFinite, "presence-penalty", presencePenalty, "a number")
        try require(frequencyPenalty.isFinite, "frequency-penalty", frequencyPenalty, "a number")
    }
}
