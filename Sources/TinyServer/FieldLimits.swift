/// What the numbers and lists of a request may be. The readers of requests go by these, and so does the document that
/// describes them.
enum FieldLimits {
    static let temperature = 0.0...2.0
    /// Anthropic's ends sooner.
    static let anthropicTemperature = 0.0...1.0
    static let topP = 0.0...1.0
    /// -1 means what 0 means: all of them.
    static let topK = -1...1_000_000
    static let minP = 0.0...1.0
    /// Of those that OpenAI has.
    static let penalty = -2.0...2.0
    static let repetitionPenalty = 0.01...100.0
    static let seed = Int.min...Int.max
    static let topLogprobs = 0...20
    static let choices = 1...128
    static let maxTokens = 1...Int.max
    /// 0 reads the prompt, and generates nothing.
    static let maxTokensOrNone = 0...Int.max
    /// Strings to stop at, as OpenAI has it.
    static let stops = 4
    static let anthropicStops = 64
    static let messages = 1...100_000
    /// Pairs of texts that are given back.
    static let metadata = 16
}
