import TinyLayers
import TinyModels
import TinyTokenizer

/// A request that has left the queue: how far its text is. Belongs to the engine's thread; while tokens are chosen, each to one
/// of the pool's.
final class EngineText: @unchecked Sendable {
    let submission: EngineSubmission
    var request: Engine.Request { submission.request }
    let prompt: [Int]
    /// Tokens of the prompt in the cache.
    var position: Int
    /// When a part of the prompt was read last, counted in passes.
    var lastPass = 0
    private var sampler: Sampler
    private(set) var progress: TextProgress
    /// What was chosen and not taken yet.
    private var chosen: ScoredToken?
    /// What was told without its tokens.
    private var untold: [ScoredToken] = []
    private var promptScores: [ScoredToken] = []
    private var clock = Stopwatch()

    init(_ submission: EngineSubmission, cachedTokens: Int, model: Model, tokenizer: Tokenizer) throws {
        self.submission = submission
        prompt = submission.request.prompt
        position = cachedTokens
        let request = submission.request
        sampler = try Sampler(request.options.sampling, prompt: request.prompt, vocabulary: model.spec.vocabulary)
        progress = try TextProgress(
            request.options, promptTokens: prompt.count, tokenizer: tokenizer, endOfText: model.endOfText)
        progress.found(cachedTokens: cachedTokens)
        progress.took(queueSeconds: submission.age)
        if request.promptCandidates != nil {
            promptScores = Array(repeating: ScoredToken(prompt[0]), count: prompt.count)
        }
        submission.tell(.started(cachedTokens: cachedTokens))
    }

    var isReading: Bool { position < prompt.count }
    var isOver: Bool { progress.isOver }
    /// The token to go on from.
    var token: Int? { chosen?.token }

    /// Which rows of the next part of the prompt the model is to give logits for: of all if they are scored, of the last token
    /// if something is to follow it.
    func wantedRows(of part: Int) -> Range<Int> {
        if request.promptCandidates != nil { return 0..<part }
        return position + part == prompt.count && progress.wantsTokens ? part - 1..<part : 0..<0
    }

    /// Takes logits behind a token of the prompt; several threads may do that for different tokens.
    ///
    /// - Returns: how likely the next token of the prompt was, if that was asked for.
    func look(at logits: Span<Float>, behind token: Int) -> ScoredToken? {
        if token + 1 == prompt.count {
            if progress.wantsTokens { choose(from: logits) }
            return nil
        }
        return request.promptCandidates.map { ScoredToken(prompt[token + 1], logits, top: $0) }
    }

    func keep(_ score: ScoredToken?, behind token: Int) {
        if let score { promptScores[token + 1] = score }
    }

    /// Chooses what follows.
    func choose(from logits: Span<Float>) {
        let token = sampler.next(logits)
        chosen = request.candidates.map { ScoredToken(token, logits, top: $0) } ?? ScoredToken(token)
    }

    /// So many tokens of the prompt more are in the cache.
    func read(_ tokens: Int) {
        position += tokens
        submission.tell(.read(tokens: position))
        if isReading { return }
        progress.took(prefillSeconds: clock.lap())
        if request.promptCandidates != nil {
            progress.scored(prompt: promptScores)
            submission.tell(.promptScores(promptScores))
        }
        if progress.wantsTokens { take() } else { end(.maxTokens) }
    }

    /// A step of decoding is done.
    func stepped() {
        progress.took(step: 1)
        take()
    }

    private func take() {
        guard let chosen else { return }
        let count = progress.completion.tokens.count
        let text = progress.take(chosen)
        if progress.completion.tokens.count > count { untold.append(chosen) }
        tell(text)
        if progress.isOver { progress.took(decodeSeconds: clock.lap()) }
    }

    private func tell(_ text: String) {
        if text.isEmpty && untold.isEmpty { return }
        submission.tell(.piece(Piece(text: text, tokens: untold)))
        untold = []
    }

    func end(_ reason: StopReason) {
        tell(progress.end(reason))
        progress.took(decodeSeconds: clock.lap())
    }

    /// The last thing that is told: by then its place is free, and it has been counted.
    func tellEnd() { submission.finish(progress.completion) }
}
