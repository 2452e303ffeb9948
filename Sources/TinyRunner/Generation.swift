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
    public internal(set) var stopReason = StopReason.maxTokens
    /// Time spent reading the prompt, and generating.
    public internal(set) var prefillSeconds = 0.0
    public internal(set) var decodeSeconds = 0.0
    /// Tokens of the prompt that had to be read; the rest was in the cache.
    public internal(set) var readTokens = 0
    /// Passes through the model after the prompt: the first token comes from the prompt's own.
    package internal(set) var steps = 0

    public var completionTokens: Int { tokens.count }
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
        var completion = Completion()
        completion.promptTokens = prompt.count
        completion.readTokens = prompt.count
        guard options.maxTokens >= 0 else {
            throw RunnerError.badParameter(
                name: "max-tokens", value: "\(options.maxTokens)", expected: "a number from 0 on")
        }
        var sampler = try Sampler(options.sampling, prompt: before + prompt, vocabulary: model.spec.vocabulary)
        var stream = TextStream(tokenizer)
        var stop = StopRule(options.stops)

        var clock = Stopwatch()
        guard let first = try readPrompt(prompt, isCancelled: isCancelled, onProgress: onProgress, { sampler.next($0) })
        else {
            completion.stopReason = .cancelled
            completion.prefillSeconds = clock.lap()
            return completion
        }
        completion.prefillSeconds = clock.lap()
        func emit(_ text: String) throws {
            if text.isEmpty { return }
            completion.text += text
            try onPiece(Piece(text: text))
        }
        var token = first
        while true {
            if completion.tokens.count == options.maxTokens { break }
            if !options.ignoresEnd && endOfText.contains(token) {
                completion.stopReason = .endOfText
                break
            }
            completion.tokens.append(token)
            try emit(stop.append(stream.append(token)))
            if stop.found != nil {
                completion.stopReason = .stopString
                break
            }
            if completion.tokens.count == options.maxTokens { break }
            if isCancelled() {
                completion.stopReason = .cancelled
                break
            }
            if count == capacity {
                completion.stopReason = .contextFull
                break
            }
            token = try step(token) { sampler.next($0) }
            completion.steps += 1
        }
        if stop.found == nil {
            try emit(stop.append(stream.finish()))
            try emit(stop.finish())
            if stop.found != nil { completion.stopReason = .stopString }
        }
        completion.decodeSeconds = clock.lap()
        return completion
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
