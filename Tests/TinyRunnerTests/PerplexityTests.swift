import Testing
import TinyLoader
import TinyModels
import TinyTensor
import TinyTestSupport
import TinyTokenizer

@testable import TinyRunner

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("Perplexity")
struct PerplexityTests {
    /// A logit is off by a few millionths of the largest, which is about 3 here: a loss by some 10⁻⁵ at most.
    static let tolerance = 1e-5

    /// −ln p, written out: probabilities add up to 1.
    private func loss(of token: Int, _ logits: some Collection<Float>) -> Double {
        let weights = logits.map { exp(Double($0)) }
        return -log(weights[token] / weights.reduce(0, +))
    }

    /// Some text of ids that are all different in their neighbourhood.
    private func text(_ count: Int) -> [Int] { (0..<count).map { 16 + ($0 * 37 + $0 / 7) % 250 } }

    // MARK: Values

    /// The reference holds the logits that PyTorch and `transformers` computed.
    @Test(arguments: ["llama-default", "gpt2-default"]) func asTheReferenceHasIt(_ name: String) throws {
        let reference = try Safetensors(path: Fixtures.path(name) + "/reference.safetensors")
        let tokens = try #require(reference.index["token_ids"]).integers()
        let tensor = try #require(reference.index["logits"])
        let (logits, width) = (try tensor.matrix().floats(), tensor.shape[1])
        let expected = (1..<tokens.count).map { loss(of: tokens[$0], logits[($0 - 1) * width..<$0 * width]) }
            .reduce(0, +)
        let result = try openFixture(name, .exact).perplexity(of: tokens, window: tokens.count)
        #expect(result.tokens == tokens.count - 1 && result.isComplete)
        #expect(abs(result.negativeLogLikelihood - expected) < Self.tolerance * Double(result.tokens))
        #expect(abs(result.value / exp(expected / Double(tokens.count - 1)) - 1) < Self.tolerance)
    }

    /// Each scored token by itself: what it may look at is read token by token into an empty cache.
    @Test(arguments: [
        PerplexityConvention.sliding(stride: nil), .sliding(stride: 1), .sliding(stride: 9), .secondHalves,
    ])
    func asReadTokenByToken(_ convention: PerplexityConvention) throws {
        let (model, tokens) = (try openFixture("llama-default", .exact), text(31))
        var decoder = model.decoder(capacity: 10)
        var (expected, count) = (0.0, 0)
        for (context, token) in try predictions(convention, tokens, opening: [], window: 10) {
            try decoder.truncate(to: 0)
            var logits: [Float] = []
            for token in context { logits = try decoder.step(token) { values($0) } }
            expected += loss(of: token, logits)
            count += 1
        }
        let result = try model.perplexity(of: tokens, window: 10, convention)
        #expect(result.tokens == count && result.isComplete)
        #expect(abs(result.negativeLogLikelihood - expected) < Self.tolerance * Double(count))
    }

    /// A window of several passes is one text, also for a rotation that stretches with its length.
    @Test func longWindows() throws {
        let (model, tokens) = (try openFixture("llama-dynamic", .exact), text(600))
        var expected = 0.0
        var decoder = Decoder(model: model, capacity: 599, chunk: 599, allLogits: true)
        try decoder.readAll(tokens.dropLast()) { _, rows in
            for t in 300..<599 { expected += rows.withRow(t) { loss(of: tokens[t + 1], values($0)) } }
        }
        let result = try model.perplexity(of: tokens, window: 600, .secondHalves)
        #expect(result.tokens == 299)
        #expect(abs(result.negativeLogLikelihood - expected) < Self.tolerance * 299)
    }

    /// Where the file wants something in front of a text, it stands in front in every window.
    @Test func opening() throws {
        let folder = TemporaryFolder()
        for name in ["model.safetensors", "config.json"] {
            folder.copy(Fixtures.path("llama-default/" + name), as: name)
        }
        let frame = #"""
            "post_processor":{"type": "TemplateProcessing", "pair": [], "single": [
                {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}}}
            """#
        let file = String(decoding: readFile(Fixtures.path("llama-default/tokenizer.json")), as: UTF8.self)
        let pieces = file.components(around: "\"post_processor\":null")
        folder.write("tokenizer.json", try #require(pieces).joined(separator: frame))
        let model = try Model(at: folder.path, precision: .exact, threads: 1)
        #expect(try model.tokenizer.opening == [0])
        for convention in [PerplexityConvention.sliding(stride: 3), .secondHalves] {
            let tokens = text(25)
            var expected = 0.0
            let all = try predictions(convention, tokens, opening: [0], window: 8)
            for (context, token) in all {
                var decoder = model.decoder(capacity: 8)
                expected += try decoder.read(context) { loss(of: token, values($0)) }
            }
            let result = try model.perplexity(of: tokens, window: 8, convention)
            #expect(result.tokens == all.count)
            #expect(abs(result.negativeLogLikelihood - expected) < Self.tolerance * Double(all.count))
        }
        // With something in front, one token is a text.
        #expect(try model.perplexity(of: [70]).tokens == 1)
    }

    @Test func threadsAndTexts() throws {
        let one = try openFixture("llama-default", threads: 1)
        let words = "One text, of some 你好 and 42 words.\n"
        let result = try one.perplexity(of: words, window: 16)
        #expect(try openFixture("llama-default", threads: 2).perplexity(of: words, window: 16) == result)
        #expect(try one.perplexity(of: one.tokenizer.encode(words), window: 16) == result)
        // One line's end at the end does not count by llama.cpp's convention, and is a token by ours.
        let line = String(words.dropLast())
        #expect(
            try one.perplexity(of: words, window: 4, .secondHalves)
                == one.perplexity(of: line, window: 4, .secondHalves))
        #expect(try one.perplexity(of: line, window: 16).tokens == result.tokens - 1)
    }

    @Test func statistics() {
        var result = Perplexity(totalTokens: 5)
        #expect(result.standardError == .infinity)
        for loss in [1.0, 2, 3, 4] { result.add(loss) }
        #expect(result.tokens == 4 && !result.isComplete && result.negativeLogLikelihood == 10)
        #expect(result.crossEntropy == 2.5 && abs(result.value - exp(2.5)) < 1e-12)
        let error = (1.25 / 3).squareRoot()
        #expect(abs(result.standardError - error) < 1e-12)
        #expect(abs(result.confidenceInterval.lowerBound - exp(2.5 - 1.96 * error)) < 1e-12)
        #expect(abs(result.confidenceInterval.upperBound - exp(2.5 + 1.96 * error)) < 1e-12)
        result.add(.infinity)
        #expect(result.value == .infinity && result.isComplete)
        #expect(result.confidenceInterval == 1...Double.infinity)
    }

    /// Logits far beyond what an exponential can hold.
    @Test(arguments: [Float(0), 3e4, -3e4]) func largeLogits(_ offset: Float) {
        let logits = [offset, offset + 1, offset - 100]
        let total = log(1 + exp(1.0) + exp(-100.0))
        #expect(abs(negativeLogLikelihood(of: 0, logits.span) - total) < 1e-12)
        #expect(abs(negativeLogLikelihood(of: 2, logits.span) - total - 100) < 1e-12)
    }

    @Test func impossibleAndNoNumbers() {
        #expect(negativeLogLikelihood(of: 1, [0, -Float.infinity].span) == .infinity)
        for logits in [[Float.nan, 0], [0, .nan], [.infinity, 0], [-.infinity, -.infinity]] {
            #expect(negativeLogLikelihood(of: 0, logits.span).isNaN)
        }
    }

    // MARK: Windows

    /// What stands before each scored token, and the token: by the definition of the convention, token by token.
    private func predictions(_ convention: PerplexityConvention, _ text: [Int], opening: [Int], window size: Int) throws
        -> [(context: [Int], token: Int)]
    {
        switch convention {
        case .sliding(let stride):
            let (room, stride) = (size - opening.count, stride ?? (size - opening.count) / 2)
            return ((opening.isEmpty ? 1 : 0)..<text.count).map { target in
                // The first window that reaches as far as the token before.
                var begin = 0
                while begin + room < target { begin += stride }
                return (opening + text[begin..<target], text[target])
            }
        case .secondHalves:
            // As in llama.cpp's tools/perplexity/perplexity.cpp.
            let tokens = opening + text
            return (0..<tokens.count / size).flatMap { chunk in
                var window = Array(tokens[chunk * size..<(chunk + 1) * size])
                window.replaceSubrange(0..<opening.count, with: opening)
                return (size / 2..<size - 1).map { (Array(window[...$0]), window[$0 + 1]) }
            }
        }
    }

    @Test func windows() throws {
        for (opening, size) in [(0, 2), (0, 3), (0, 9), (1, 3), (1, 8), (2, 8)] {
            let conventions =
                (1...size - opening).map { PerplexityConvention.sliding(stride: $0) }
                + (size >= 3 ? [.sliding(stride: nil), .secondHalves] : [])
            for (convention, count) in conventions.flatMap({ convention in (2...40).map { (convention, $0) } }) {
                if convention == .secondHalves && count + opening < size { continue }
                let text = Array(100..<100 + count)
                let front = Array(0..<opening)
                let expected = try predictions(convention, text, opening: front, window: size)
                let windows = try convention.windows(tokens: count, opening: opening, window: size)
                let found = windows.flatMap { window in
                    window.scored.map { (front + text[window.read.lowerBound..<$0], text[$0]) }
                }
                #expect(windows.allSatisfy { opening + $0.read.count <= size && !$0.scored.isEmpty })
                #expect(windows.allSatisfy { $0.scored.upperBound == $0.read.upperBound + 1 })
                #expect(
                    found.map(\.0) == expected.map(\.context) && found.map(\.1) == expected.map(\.token),
                    "\(convention), \(count) tokens, opening \(opening), window \(size)")
            }
        }
    }

    // MARK: Errors

    private func error(_ tokens: [Int], _ window: Int?, _ convention: PerplexityConvention = .sliding(stride: nil))
        -> RunnerError?
    {
        #expect(throws: RunnerError.self) {
            _ = try openFixture("llama-default").perplexity(of: tokens, window: window, convention)
        }
    }

    @Test func badParameters() throws {
        func parameter(_ error: RunnerError?) -> [String] {
            guard case .badParameter(let name, let value, let expected) = error else { return [] }
            return [name, value, String(expected.prefix { $0 != "," })]
        }
        #expect(parameter(error(text(9), 1)) == ["window", "1", "a number from 2 on"])
        #expect(parameter(error(text(9), 0)) == ["window", "0", "a number from 2 on"])
        #expect(parameter(error(text(9), 65)) == ["window", "65", "a number up to 64"])
        #expect(parameter(error(text(9), 2, .secondHalves)) == ["window", "2", "a number from 3 on"])
        #expect(parameter(error(text(9), 8, .sliding(stride: 0))) == ["stride", "0", "a number from 1 to 8"])
        #expect(parameter(error(text(9), 8, .sliding(stride: 9))) == ["stride", "9", "a number from 1 to 8"])
    }

    @Test func badTexts() throws {
        #expect(error([], nil) == .textTooShort(tokens: 0, needed: 2))
        #expect(error([70], nil) == .textTooShort(tokens: 1, needed: 2))
        #expect(error(text(9), 10, .secondHalves) == .textTooShort(tokens: 9, needed: 10))
        #expect(error([70, 288], nil) == .tokenOutOfRange(token: 288, vocabulary: 288))
        let message = "\(RunnerError.textTooShort(tokens: 1, needed: 2))"
        #expect(message.contains("1 token,") && message.contains("at least 2"))
    }

    /// A model that gives no numbers has no perplexity, rather than one of NaN.
    @Test func notANumber() throws {
        let folder = TemporaryFolder()
        for name in ["tokenizer.json", "config.json"] { folder.copy(Fixtures.path("llama-default/" + name), as: name) }
        var bytes = readFile(Fixtures.path("llama-default/model.safetensors"))
        // The final norm's weight is the last in the file.
        bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
        folder.write("model.safetensors", bytes)
        let model = try Model(at: folder.path, precision: .exact, threads: 1)
        let error = #expect(throws: RunnerError.self) { _ = try model.perplexity(of: text(9)) }
        #expect(error == .notANumber(position: 1))
    }

    // MARK: Progress

    @Test func progressAndCancelling() throws {
        let (model, tokens) = (try openFixture("llama-default"), text(40))
        var told: [Perplexity] = []
        let whole = try model.perplexity(of: tokens, window: 10, .sliding(stride: 10), onProgress: { told.append($0) })
        #expect(told.map(\.tokens) == [10, 20, 30, 39] && told.last == whole)
        #expect(told.allSatisfy { $0.totalTokens == 39 })
        var passes = 0
        let part = try model.perplexity(
            of: tokens, window: 10, .sliding(stride: 10),
            isCancelled: {
                passes += 1
                return passes > 2
            })
        #expect(part == told[1] && !part.isComplete)
        #expect(try model.perplexity(of: tokens, isCancelled: { true }).tokens == 0)
    }
}

extension String {
    /// What stands before and behind a text that occurs once.
    fileprivate func components(around text: String) -> [String]? {
        guard let range = firstRange(of: text) else { return nil }
        return [String(self[..<range.lowerBound]), String(self[range.upperBound...])]
    }
}
