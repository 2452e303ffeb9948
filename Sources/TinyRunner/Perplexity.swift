import TinyLayers
public import TinyModels
import TinyTensor
import TinyTokenizer

/// How well a model predicts a text: the inverse of the probability it gives a token, on a geometric average.
///
///     ℓₜ         = −ln p(xₜ | tokens before it in its window) = ln Σⱼ exp(zⱼ) − z(xₜ)
///     perplexity = exp( Σ ℓₜ / n )                 over the n tokens that are scored
///
/// Sums run in `Double`, in the text's order: the figure does not depend on the number of threads.
public struct Perplexity: Sendable, Equatable {
    /// Tokens scored so far.
    public private(set) var tokens = 0
    /// Tokens that are to be scored in all; more than `tokens` if it was stopped before the end.
    public let totalTokens: Int
    /// Σ ℓₜ, in nats: of all scored tokens together, not of one on average.
    public private(set) var negativeLogLikelihood = 0.0
    /// Σ ℓₜ²
    private var sumOfSquares = 0.0

    init(totalTokens: Int) { self.totalTokens = totalTokens }

    mutating func add(_ negativeLogLikelihood: Double) {
        tokens += 1
        self.negativeLogLikelihood += negativeLogLikelihood
        sumOfSquares += negativeLogLikelihood * negativeLogLikelihood
    }

    public var isComplete: Bool { tokens == totalTokens }

    /// Cross-entropy: nats a token, on average. No number before the first token.
    public var crossEntropy: Double { negativeLogLikelihood / Double(tokens) }

    /// From 1, where every token was certain, on; infinite where one was impossible.
    public var value: Double { exponential(crossEntropy) }

    /// Standard error of `crossEntropy`, as if tokens were drawn independently of each other, which flatters: in a text
    /// they are not.
    ///
    ///     √( (mean(ℓ²) − mean(ℓ)²) / (n − 1) )
    public var standardError: Double {
        if tokens < 2 || !crossEntropy.isFinite { return .infinity }
        let variance = sumOfSquares / Double(tokens) - crossEntropy * crossEntropy
        return (max(0, variance) / Double(tokens - 1)).squareRoot()
    }

    /// Where the perplexity of more such text lies with 95 % confidence, by the standard error.
    public var confidenceInterval: ClosedRange<Double> {
        let reach = 1.96 * standardError
        guard crossEntropy.isFinite, reach.isFinite else { return 1...Double.infinity }
        return exponential(crossEntropy - reach)...exponential(crossEntropy + reach)
    }
}

extension Model {
    /// How well the model predicts a text. Special tokens in it are cut up like other text.
    ///
    /// Every window begins with what the model wants in front of every text.
    ///
    /// - Parameters:
    ///   - window: the most tokens read at a time; 512, or the model's context if that is less, if nil.
    ///   - convention: how the text is cut into windows, and which of their tokens are scored.
    ///   - isCancelled: asked before each pass through the layers, of some 256 tokens.
    ///   - onProgress: told after each pass what there is so far.
    /// - Returns: the figure, or what there is of it if it was cancelled.
    /// - Throws: `RunnerError.badParameter` for a window or stride that makes no sense or is beyond the model's context,
    ///   `.textTooShort` if there is nothing to score, `.notANumber` if the model does not say a probability; what
    ///   `tokenizer` throws if there is none.
    public func perplexity(
        of text: String, window: Int? = nil, _ convention: PerplexityConvention = .sliding(stride: nil),
        isCancelled: () -> Bool = { false }, onProgress: (Perplexity) -> Void = { _ in }
    ) throws -> Perplexity {
        try perplexity(
            of: try tokenizer.encode(convention.text(of: text)), window: window, convention,
            isCancelled: isCancelled, onProgress: onProgress)
    }

    /// The same for a text that is tokens already, without what the model wants in front.
    ///
    /// - Throws: `RunnerError.tokenOutOfRange` too.
    public func perplexity(
        of tokens: [Int], window: Int? = nil, _ convention: PerplexityConvention = .sliding(stride: nil),
        isCancelled: () -> Bool = { false }, onProgress: (Perplexity) -> Void = { _ in }
    ) throws -> Perplexity {
        guard spec.continues else { throw RunnerError.noContinuation(family: family) }
        if spec.seesAhead { throw RunnerError.seesAhead(family: family) }
        let opening = (try? tokenizer)?.opening ?? []
        let limit = contextLimit ?? .max
        let window = window ?? min(512, limit)
        guard window <= limit else {
            throw RunnerError.badParameter(
                name: "window", value: "\(window)", expected: "a number up to \(limit), the model's context,")
        }
        let windows = try convention.windows(tokens: tokens.count, opening: opening.count, window: window)
        for token in tokens where token < 0 || token >= spec.vocabulary {
            throw RunnerError.tokenOutOfRange(token: token, vocabulary: spec.vocabulary)
        }
        var result = Perplexity(totalTokens: windows.reduce(0) { $0 + $1.scored.count })
        var decoder = Decoder(
            model: self, capacity: windows.map { opening.count + $0.read.count }.max() ?? 0,
            chunk: Decoder.rowsOfLogits(spec.vocabulary), allLogits: true)
        for window in windows {
            try decoder.truncate(to: 0)
            let read = opening + tokens[window.read]
            try decoder.checkFits(read)
            // The row whose logits speak of the first token that is scored.
            let first = opening.count + window.scored.lowerBound - 1 - window.read.lowerBound
            while decoder.count < read.count {
                if isCancelled() { return result }
                let position = decoder.count
                let end = min(position + decoder.chunk, position < first ? first : read.count)
                if position < first {
                    try decoder.readPart(read[position..<end], total: read.count)
                    continue
                }
                let targets = tokens[(window.scored.lowerBound + position - first)...].prefix(end - position)
                let losses = decoder.readPart(read[position..<end], total: read.count, losses: Array(targets))
                for (target, loss) in zip(targets.indices, losses) {
                    if loss.isNaN { throw RunnerError.notANumber(position: target) }
                    result.add(loss)
                }
                onProgress(result)
            }
        }
        return result
    }
}

/// −ln p of one token by the logits `[V]`: `ln Σⱼ exp(zⱼ) − z`, in `Double`; NaN if the logits say no probability.
func negativeLogLikelihood(of token: Int, _ logits: Span<Float>) -> Double {
    var largest = -Float.infinity
    for i in 0..<logits.count {
        // A comparison would pass over what is no number.
        if logits[i].isNaN { return .nan }
        largest = max(largest, logits[i])
    }
    var sum = 0.0
    for i in 0..<logits.count { sum += exponential(Double(logits[i]) - Double(largest)) }
    return logarithm(sum) - (Double(logits[token]) - Double(largest))
}
