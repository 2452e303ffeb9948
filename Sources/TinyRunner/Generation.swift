import TinyLayers
import TinyModels
package import TinyTokenizer

/// What to generate.
public struct GenerationOptions: Sendable {
    /// The most tokens to generate.
    public var maxTokens: Int
    public var sampling: Sampling
    /// Strings at which the text ends; they are not part of it.
    public var stops: [String]
    /// Whether the model's own end tokens are ignored.
    public var ignoresEnd: Bool

    public init(maxTokens: Int = 256, sampling: Sampling = .greedy, stops: [String] = [], ignoresEnd: Bool = false) {
        self.maxTokens = maxTokens
        self.sampling = sampling
        self.stops = stops
        self.ignoresEnd = ignoresEnd
    }
}

/// A piece of text as it is generated: whole characters, and only what is new.
public struct Piece: Sendable {
    public let text: String
    /// The tokens chosen since the piece before, by an `Engine`: their text may come with a later piece.
    public let tokens: [ScoredToken]

    public init(text: String, tokens: [ScoredToken] = []) { (self.text, self.tokens) = (text, tokens) }
}

/// Why a text ended.
public enum StopReason: String, Sendable, Codable {
    /// The model said so.
    case endOfText = "end_of_text"
    /// A stop string was found.
    case stopString = "stop_string"
    /// As many tokens as were asked for.
    case maxTokens = "max_tokens"
    /// There was no room for more.
    case contextFull = "context_full"
    case cancelled
}

/// A generated text, and what it took.
public struct Completion: Sendable {
    public internal(set) var text = ""
    /// Ids of the generated tokens, an end token not among them.
    public internal(set) var tokens: [Int] = []
    public internal(set) var promptTokens = 0
    /// The generated tokens with their probabilities, where those were asked for.
    public internal(set) var scored: [ScoredToken] = []
    /// The same of the prompt.
    public internal(set) var promptScores: [ScoredToken] = []
    public internal(set) var stopReason = StopReason.maxTokens
    /// The stop string that was found.
    public internal(set) var stopString: String?
    /// Time spent waiting for a place among those that are continued.
    public internal(set) var queueSeconds = 0.0
    /// Time spent reading the prompt, and generating.
    public internal(set) var prefillSeconds = 0.0
    public internal(set) var decodeSeconds = 0.0
    /// Tokens of the prompt that had to be read; the rest was in the cache.
    public internal(set) var readTokens = 0
    /// Passes through the model after the prompt: the first token comes from the prompt's own.
    package internal(set) var steps = 0

    public var completionTokens: Int { tokens.count }
    /// Tokens of the prompt that were in the cache.
    public var cachedTokens: Int { promptTokens - readTokens }
    public var prefillTokensPerSecond: Double { prefillSeconds > 0 ? Double(readTokens) / prefillSeconds : 0 }
    public var decodeTokensPerSecond: Double { decodeSeconds > 0 ? Double(steps) / decodeSeconds : 0 }
}

extension Decoder {
    /// Reads a prompt and continues it.
    ///
    /// - Parameters:
    ///   - prompt: tokens behind those already read.
    ///   - before: those already read, which penalties count too.
    ///   - isCancelled: asked before every step.
    ///   - onProgress: told how many tokens of the prompt have been read.
    ///   - onPiece: given text as soon as it is certain.
    /// - Throws: `RunnerError` if the prompt does not fit, and whatever `onPiece` throws.
    package mutating func generate(
        _ prompt: [Int], after before: [Int] = [], _ options: GenerationOptions, tokenizer: Tokenizer,
        endOfText: Set<Int>,
        isCancelled: () -> Bool = { false }, onProgress: (Int) -> Void = { _ in }, onPiece: (Piece) throws -> Void
    ) throws -> Completion {
        var progress = try TextProgress(
            options, promptTokens: prompt.count, tokenizer: tokenizer, endOfText: endOfText)
        var sampler = try Sampler(options.sampling, prompt: before + prompt, vocabulary: model.spec.vocabulary)
        func emit(_ text: String) throws { if !text.isEmpty { try onPiece(Piece(text: text)) } }

        var clock = Stopwatch()
        let first = try readPrompt(prompt, isCancelled: isCancelled, onProgress: onProgress) { sampler.next($0) }
        progress.took(prefillSeconds: clock.lap())
        if var token = first {
            if !progress.wantsTokens { try emit(progress.end(.maxTokens)) }
            while !progress.isOver {
                try emit(progress.take(ScoredToken(token)))
                if progress.isOver { break }
                if isCancelled() {
                    try emit(progress.end(.cancelled))
                } else if count == capacity {
                    try emit(progress.end(.contextFull))
                } else {
                    token = try step(token) { sampler.next($0) }
                    progress.took(step: 1)
                }
            }
        } else {
            _ = progress.end(.cancelled)
        }
        progress.took(decodeSeconds: clock.lap())
        return progress.completion
    }

    /// Reads in chunks, so that progress can be told and cancelling is quick; nil if it was cancelled.
    private mutating func readPrompt<R>(
        _ prompt: [Int], isCancelled: () -> Bool, onProgress: (Int) -> Void, _ body: (Span<Float>) throws -> R
    ) throws -> R? {
        try checkFits(prompt)
        let total = count + prompt.count
        var position = 0
        while true {
            if isCancelled() { return nil }
            let end = min(position + chunk, prompt.count)
            if end == prompt.count { return try readPart(prompt[position..<end], total: total, body) }
            try readPart(prompt[position..<end], total: total)
            position = end
            onProgress(position)
        }
    }
}

/// Seconds between laps.
package struct Stopwatch {
    private let clock = ContinuousClock()
    private var start: ContinuousClock.Instant

    package init() { start = ContinuousClock().now }

    package mutating func lap() -> Double {
        let now = clock.now
        defer { start = now }
        let (seconds, attoseconds) = (now - start).components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
