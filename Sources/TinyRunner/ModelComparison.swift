import TinyLayers
package import TinyModels
import TinyTensor
import TinyTokenizer

/// Two models of one vocabulary held against each other on a text: say, a quantized file and its original.
///
/// Both read the same tokens. Of each layer's residual stream `x` and its original `y`, over all tokens:
///
///     relative error = ‖x − y‖ / ‖y‖
///
/// and of the probabilities `q` and the original's `p` that each token's successor has:
///
///     divergence = Σ p · ln(p / q)        in nats; Kullback and Leibler 1951
package struct ModelComparison: Sendable {
    /// A layer's output; layer 0 is the stem.
    package struct Layer: Sendable {
        package let layer: Int
        package fileprivate(set) var maxAbsDiff = 0.0
        fileprivate var sumOfSquaredDiffs = 0.0
        fileprivate var sumOfSquares = 0.0

        /// ‖x − y‖ / ‖y‖; infinite where something is no finite number.
        package var relativeError: Double {
            if sumOfSquaredDiffs == 0 { return 0 }
            let error = (sumOfSquaredDiffs / sumOfSquares).squareRoot()
            return error.isNaN ? .infinity : error
        }
    }

    /// Tokens that both have read.
    package private(set) var tokens = 0
    /// Tokens to read in all; more than `tokens` if it was stopped before the end.
    package let totalTokens: Int
    /// Empty if the two differ in depth or width.
    package private(set) var layers: [Layer]
    /// Logits of both; nil if one has none.
    package private(set) var logits: LogitComparison?

    package var isComplete: Bool { tokens == totalTokens }

    /// - Parameters:
    ///   - original: what `model` should be like.
    ///   - window: the most tokens read at a time; the text is cut into windows, one behind the other.
    ///   - isCancelled: asked before each pass.
    ///   - onProgress: told after each pass what there is so far.
    /// - Throws: `RunnerError.differentTokens` if the two cut the text in different ways, `.noTokens`, `.badParameter`;
    ///   what `tokenizer` throws if neither model has one.
    package init(
        of model: Model, with original: Model, on text: String, window: Int? = nil, isCancelled: () -> Bool = { false },
        onProgress: (ModelComparison) -> Void = { _ in }
    ) throws {
        let (tokens, opening) = try Self.tokens(of: text, model, original)
        let limit = min(model.contextLimit ?? .max, original.contextLimit ?? .max)
        let window = window ?? min(512, limit)
        guard window > opening.count, window <= limit else {
            throw RunnerError.badParameter(
                name: "window", value: "\(window)",
                expected: "a number from \(opening.count + 1)"
                    + (limit == .max ? " on" : " to \(limit), what both models have room for,"))
        }
        totalTokens = tokens.count
        let (a, b) = (model.spec, original.spec)
        layers =
            a.width == b.width && a.layers.count == b.layers.count ? (0...b.layers.count).map { Layer(layer: $0) } : []
        if a.head != nil && b.head != nil {
            logits = LogitComparison(vocabulary: min(a.vocabulary, b.vocabulary))
        }
        // Rows of logits are wide: no more of them at a time than take 64 MB.
        let rows = max(1, min(64, (1 << 24) / max(a.vocabulary, b.vocabulary)))
        func decoder(_ model: Model) -> Decoder {
            Decoder(model: model, capacity: min(window, opening.count + tokens.count), chunk: rows, allLogits: true)
        }
        var first = decoder(model)
        var second = decoder(original)
        let chunk = min(first.chunk, second.chunk)
        var compared = layers
        let seesAhead = a.seesAhead || b.seesAhead || a.pooler != nil || b.pooler != nil
        for start in stride(from: 0, to: tokens.count, by: window - opening.count) {
            let part = opening + tokens[start..<min(start + window - opening.count, tokens.count)]
            try first.truncate(to: 0)
            try second.truncate(to: 0)
            try first.checkFits(part, continuing: false)
            try second.checkFits(part, continuing: false)
            while first.count < part.count {
                if isCancelled() { return }
                let position = first.count
                let range = position..<(seesAhead ? part.count : min(position + chunk, part.count))
                var streams: [Int: [Float]] = [:]
                let points = compared.indices.map(Probe.Point.stream)
                let found = first.readPart(
                    part[range], total: part.count,
                    probe: Probe(points) { reading, values in
                        if case .stream(let layer) = reading.point {
                            streams[layer] = values.withUnsafeBufferPointer { Array($0) }
                        }
                    })
                let expected = second.readPart(
                    part[range], total: part.count,
                    probe: Probe(points) { reading, values in
                        if case .stream(let layer) = reading.point, let stream = streams[layer] {
                            compared[layer].add(stream, values)
                        }
                    })
                layers = compared
                logits?.add(found, expected, followers: part[(position + 1)...], model.compute.pool)
                self.tokens += range.clamped(to: opening.count..<part.count).count
                onProgress(self)
            }
        }
    }

    /// The text's tokens, and what stands in front of every window.
    private static func tokens(of text: String, _ model: Model, _ original: Model) throws -> ([Int], opening: [Int]) {
        let (first, second) = (Result { try model.tokenizer }, Result { try original.tokenizer })
        let tokenizer = (try? first.get()) == nil ? try second.get() : try first.get()
        let tokens = tokenizer.encode(text)
        if tokens.isEmpty { throw RunnerError.noTokens }
        if let other = try? second.get() {
            let others = other.encode(text)
            if let at = zip(tokens, others).enumerated().first(where: { $1.0 != $1.1 })?.offset
                ?? (tokens.count == others.count ? nil : min(tokens.count, others.count))
            {
                throw RunnerError.differentTokens(model.path, original.path, position: at)
            }
        }
        return (tokens, tokenizer.opening)
    }
}

extension ModelComparison.Layer {
    fileprivate mutating func add(_ found: [Float], _ expected: Span<Float>) {
        for i in 0..<min(found.count, expected.count) {
            let y = expected[i]
            let diff = Double(found[i]) - Double(y)
            maxAbsDiff = diff.isNaN ? .infinity : max(maxAbsDiff, abs(diff))
            sumOfSquaredDiffs += diff * diff
            sumOfSquares += Double(y) * Double(y)
        }
    }
}
