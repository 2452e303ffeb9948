import TinyTokenizer

/// A text as it grows token by token: what of it is certain, and when it is over. Rules only; whoever makes the tokens asks
/// after each whether to go on.
struct TextProgress {
    private(set) var completion = Completion()
    private(set) var isOver = false
    private let options: GenerationOptions
    private let endOfText: Set<Int>
    private var stream: TextStream
    private var stop: StopRule

    /// - Throws: `RunnerError.badParameter` for a number of tokens below 0.
    init(
        _ options: GenerationOptions, promptTokens: Int, tokenizer: Tokenizer, endOfText: Set<Int>
    ) throws(RunnerError) {
        guard options.maxTokens >= 0 else {
            throw .badParameter(name: "max-tokens", value: "\(options.maxTokens)", expected: "a number from 0 on")
        }
        self.options = options
        self.endOfText = endOfText
        stream = TextStream(tokenizer)
        stop = StopRule(options.stops)
        completion.promptTokens = promptTokens
        completion.readTokens = promptTokens
    }

    /// Whether any token is wanted at all.
    var wantsTokens: Bool { options.maxTokens > 0 }

    /// Takes the next token.
    ///
    /// - Returns: the text that is certain now.
    mutating func take(_ token: ScoredToken) -> String {
        if !options.ignoresEnd && endOfText.contains(token.token) { return end(.endOfText) }
        completion.tokens.append(token.token)
        if token.score != nil { completion.scored.append(token) }
        let text = stop.append(stream.append(token.token))
        completion.text += text
        if let found = stop.found {
            end(.stopString, at: found)
        } else if completion.tokens.count >= options.maxTokens {
            return text + end(.maxTokens)
        }
        return text
    }

    /// Ends the text, if it has not ended yet.
    ///
    /// - Returns: what was held back.
    mutating func end(_ reason: StopReason) -> String {
        if isOver { return "" }
        let rest = stop.append(stream.finish()) + stop.finish()
        completion.text += rest
        if let found = stop.found { end(.stopString, at: found) } else { end(reason, at: nil) }
        return rest
    }

    private mutating func end(_ reason: StopReason, at stopString: String?) {
        completion.stopReason = reason
        completion.stopString = stopString
        isOver = true
    }

    // MARK: What it took

    mutating func took(prefillSeconds: Double) { completion.prefillSeconds = prefillSeconds }
    mutating func took(decodeSeconds: Double) { completion.decodeSeconds = decodeSeconds }
    mutating func took(queueSeconds: Double) { completion.queueSeconds = queueSeconds }
    mutating func took(step count: Int) { completion.steps += count }
    mutating func found(cachedTokens: Int) { completion.readTokens = completion.promptTokens - cachedTokens }
    mutating func scored(prompt: [ScoredToken]) { completion.promptScores = prompt }
}
