/// What is known of an answer that was stopped before its end.
struct StoppedReply {
    private(set) var completion = Completion()
    private var clock = Stopwatch()

    init(promptTokens: Int) {
        completion.promptTokens = promptTokens
        completion.readTokens = promptTokens
        completion.stopReason = .cancelled
    }

    mutating func take(_ event: Engine.Event) {
        switch event {
        case .started(let tokens):
            completion.queueSeconds = clock.lap()
            completion.readTokens = completion.promptTokens - tokens
        case .read(let tokens):
            if tokens == completion.promptTokens { completion.prefillSeconds += clock.lap() }
        case .piece(let piece):
            completion.text += piece.text
            completion.tokens += piece.tokens.map(\.token)
            completion.scored += piece.tokens.filter { $0.score != nil }
            completion.steps = max(0, completion.tokens.count - 1)
            completion.decodeSeconds += clock.lap()
        case .promptScores, .finished: break
        }
    }
}
