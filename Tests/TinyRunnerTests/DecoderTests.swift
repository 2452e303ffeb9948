import Testing
import TinyModels
import TinyTensor
import TinyTestSupport
import TinyTokenizer

@testable import TinyRunner

func openFixture(_ name: String, _ precision: Precision = .fast, threads: Int = 1) throws -> Model {
    try Model(at: Fixtures.path(name), precision: precision, threads: threads)
}

func values(_ logits: Span<Float>) -> [Float] {
    logits.withUnsafeBufferPointer { Array($0) }
}

@Suite("Decoder")
struct DecoderTests {
    /// A model that only reads is not asked for what comes next, by whatever way.
    @Test(arguments: ["bert-mlm", "bert-model", "clip-default"]) func encoders(_ folder: String) throws {
        let model = try openFixture(folder)
        let expected = RunnerError.noContinuation(family: model.family)
        var decoder = model.decoder(capacity: 8)
        #expect(throws: expected) { try decoder.read([3, 4]) { _ in } }
        #expect(throws: expected) { try decoder.step(3) { _ in } }
        let tokenizer = try openFixture("llama-default").tokenizer
        #expect(throws: expected) {
            _ = try decoder.generate([3, 4], GenerationOptions(), tokenizer: tokenizer, endOfText: []) { _ in }
        }
        #expect(throws: expected) { _ = try model.perplexity(of: [3, 4, 5, 6], .secondHalves) }
    }

    /// Nor is one that sees a prompt's end asked how likely its beginning was.
    @Test func perplexityOfWhatSeesAhead() throws {
        let model = try openFixture("cpmant-default")
        #expect(throws: RunnerError.seesAhead(family: model.family)) {
            _ = try model.perplexity(of: [3, 4, 5, 6], .secondHalves)
        }
    }

    @Test func errorsReadNothing() throws {
        let model = try openFixture("llama-default")
        var decoder = model.decoder(capacity: 5)
        #expect(decoder.capacity == 5 && decoder.count == 0)
        func error(_ tokens: [Int], _ decoder: inout Decoder) -> RunnerError? {
            do {
                try decoder.read(tokens) { _ in }
                return nil
            } catch { return error as? RunnerError }
        }
        #expect(error([], &decoder) == .noTokens)
        #expect(error([1, 288, 2], &decoder) == .tokenOutOfRange(token: 288, vocabulary: 288))
        #expect(error([-1], &decoder) == .tokenOutOfRange(token: -1, vocabulary: 288))
        #expect(error([1, 2, 3, 4, 5, 6], &decoder) == .contextFull(capacity: 5, held: 0, added: 6))
        #expect(decoder.count == 0)
        let first = try decoder.read([1, 2, 3]) { values($0) }
        let full = error([1, 2, 3], &decoder)
        #expect(full == .contextFull(capacity: 5, held: 3, added: 3))
        let message = "\(try #require(full))"
        #expect(message.contains("holds 3 of 5") && message.contains("3 more"))
        #expect(decoder.count == 3)
        // As if the errors had not been.
        let second = try decoder.read([4, 5]) { values($0) }
        var clean = model.decoder(capacity: 5)
        expectSameBits(try clean.read([1, 2, 3]) { values($0) }, first)
        expectSameBits(try clean.read([4, 5]) { values($0) }, second)
        do {
            try decoder.step(1) { _ in }
            Issue.record("a step into a full context")
        } catch { #expect(error as? RunnerError == .contextFull(capacity: 5, held: 5, added: 1)) }
    }

    /// There are no positions beyond those that were learned.
    @Test func learnedPositions() throws {
        let model = try openFixture("gpt2-default")
        var decoder = model.decoder(capacity: 1000)
        #expect(decoder.capacity == 40)
        try decoder.read(Array(repeating: 7, count: 40)) { _ in }
        do {
            try decoder.step(1) { _ in }
            Issue.record("a position that is not there")
        } catch { #expect(error as? RunnerError == .contextFull(capacity: 40, held: 40, added: 1)) }
    }

    /// Vectors in front of a text take no room that was asked for, and go and come with the text's first token.
    @Test func prefix() throws {
        let model = try openFixture("cpmant-default", .exact)
        var decoder = model.decoder(capacity: 6)
        #expect(decoder.capacity == 6 && decoder.count == 0)
        let expected = try decoder.read([5, 9, 2, 33]) { values($0) }
        #expect(decoder.count == 4)
        let next = try decoder.step(7) { values($0) }
        try decoder.truncate(to: 4)
        expectSameBits(try decoder.step(7) { values($0) }, next)
        try decoder.truncate(to: 0)
        #expect(decoder.count == 0)
        expectSameBits(try decoder.read([5, 9, 2, 33]) { values($0) }, expected)
        try decoder.step(7) { _ in }
        try decoder.step(7) { _ in }
        do {
            try decoder.step(7) { _ in }
            Issue.record("a step into a full context")
        } catch { #expect(error as? RunnerError == .contextFull(capacity: 6, held: 6, added: 1)) }
    }

    @Test func truncation() throws {
        let model = try openFixture("llama-mistral")
        var decoder = model.decoder(capacity: 40)
        let expected = try decoder.read([1, 2, 3, 4, 5, 6, 7, 8, 9]) { values($0) }
        try decoder.truncate(to: 4)
        #expect(decoder.count == 4)
        expectSameBits(try decoder.read([5, 6, 7, 8, 9]) { values($0) }, expected)
        for bad in [-1, 10] {
            do {
                try decoder.truncate(to: bad)
                Issue.record("truncated to \(bad)")
            } catch { #expect(error is RunnerError) }
        }
        #expect(decoder.count == 9)
        var none = model.decoder(capacity: 0)
        do {
            try none.read([1]) { _ in }
            Issue.record("read into nothing")
        } catch { #expect(error as? RunnerError == .contextFull(capacity: 0, held: 0, added: 1)) }
    }

    @Test(arguments: [
        "llama-default", "llama-default/model.Q4_0.gguf", "gpt2-default", "llama-mistral", "llama-dynamic",
    ])
    func chunks(_ fixture: String) throws {
        let model = try openFixture(fixture)
        let tokens = (0..<23).map { ($0 * 37 + 11) % 288 }
        var whole = Decoder(model: model, capacity: 30)
        let expected = try whole.read(tokens) { values($0) }
        for chunk in [1, 2, 7, 22, 23, 1000] {
            var decoder = Decoder(model: model, capacity: 30, chunk: chunk)
            expectSameBits(try decoder.read(tokens) { values($0) }, expected, "\(fixture), chunks of \(chunk)")
        }
    }

    /// One model, two decoders, two threads: the same bytes as alone.
    @Test(arguments: ["llama-default/model.Q4_0.gguf", "gpt2-default"]) func company(_ fixture: String) async throws {
        let model = try openFixture(fixture, threads: 2)
        @Sendable func run(_ seed: Int) throws -> [Float] {
            var decoder = model.decoder(capacity: 36)
            var all = try decoder.read((0..<12).map { ($0 * 31 + seed) % 288 }) { values($0) }
            for i in 0..<20 { all += try decoder.step((i * seed) % 288) { values($0) } }
            return all
        }
        let alone = try [run(5), run(8)]
        async let a = Task.detached { try run(5) }.value
        async let b = Task.detached { try run(8) }.value
        let together = try await [a, b]
        expectSameBits(together[0], alone[0])
        expectSameBits(together[1], alone[1])
    }
}

@Suite("Generation")
struct GenerationTests {
    private func generate(
        _ options: GenerationOptions, fixture: String = "llama-default", prompt: [Int] = [65, 66, 67],
        capacity: Int = 40, ends: Set<Int> = [], isCancelled: () -> Bool = { false }
    ) throws -> (completion: Completion, pieces: [String]) {
        let model = try openFixture(fixture)
        var decoder = model.decoder(capacity: capacity)
        var pieces: [String] = []
        let completion = try decoder.generate(
            prompt, options, tokenizer: model.tokenizer, endOfText: ends, isCancelled: isCancelled,
            onPiece: { pieces.append($0.text) })
        #expect(pieces.joined() == completion.text)
        #expect(pieces.allSatisfy { !$0.isEmpty })
        return (completion, pieces)
    }

    @Test func nothing() throws {
        let (completion, pieces) = try generate(GenerationOptions(maxTokens: 0))
        #expect(completion.tokens == [] && completion.text == "" && pieces == [])
        #expect(completion.stopReason == .maxTokens && completion.promptTokens == 3)
    }

    @Test func negative() {
        #expect(throws: RunnerError.self) { _ = try generate(GenerationOptions(maxTokens: -1)) }
    }

    @Test func greedyText() throws {
        let model = try openFixture("llama-default")
        let (completion, _) = try generate(GenerationOptions(maxTokens: 12))
        #expect(completion.tokens.count == 12 && completion.stopReason == .maxTokens)
        #expect(completion.text == (try model.tokenizer.decode(completion.tokens)))
        #expect(completion.completionTokens == 12 && completion.steps == 11)
        let again = try generate(GenerationOptions(maxTokens: 5)).completion
        #expect(again.tokens == Array(completion.tokens.prefix(5)))
    }

    @Test func endOfText() throws {
        let tokens = try generate(GenerationOptions(maxTokens: 12)).completion.tokens
        let end = tokens[4]
        let first = try #require(tokens.firstIndex(of: end))
        let (completion, _) = try generate(GenerationOptions(maxTokens: 12), ends: [end])
        #expect(completion.tokens == Array(tokens[..<first]) && completion.stopReason == .endOfText)
        let (ignored, _) = try generate(GenerationOptions(maxTokens: 12, ignoresEnd: true), ends: [end])
        #expect(ignored.tokens == tokens && ignored.stopReason == .maxTokens)
    }

    @Test func contextFull() throws {
        let (completion, _) = try generate(GenerationOptions(maxTokens: 100), capacity: 10)
        // Three of the prompt and seven read behind them; the eighth token needs no room, as nothing follows it.
        #expect(completion.tokens.count == 8 && completion.stopReason == .contextFull)
        let error = #expect(throws: RunnerError.self) { _ = try generate(GenerationOptions(), capacity: 2) }
        #expect(error == .contextFull(capacity: 2, held: 0, added: 3))
    }

    @Test func stopString() throws {
        let whole = try generate(GenerationOptions(maxTokens: 12)).completion
        let characters = Array(whole.text)
        let stop = String(characters[characters.count / 2..<min(characters.count, characters.count / 2 + 2)])
        let (completion, _) = try generate(GenerationOptions(maxTokens: 12, stops: [stop]))
        #expect(completion.stopReason == .stopString)
        #expect(whole.text.hasPrefix(completion.text) && completion.text.count < whole.text.count)
        #expect(!completion.text.contains(stop))
    }

    /// Asked before every step: no more than one token after it was said.
    @Test func cancelled() throws {
        var asked = 0
        let (completion, _) = try generate(
            GenerationOptions(maxTokens: 30),
            isCancelled: {
                asked += 1
                return asked > 4
            })
        #expect(completion.stopReason == .cancelled)
        #expect(completion.tokens.count == 4)
        let (none, _) = try generate(GenerationOptions(maxTokens: 30), isCancelled: { true })
        #expect(none.stopReason == .cancelled && none.tokens == [])
    }

    @Test func seeded() throws {
        let options = GenerationOptions(maxTokens: 20, sampling: .sampled(temperature: 1.5, seed: 3))
        let first = try generate(options).completion.tokens
        #expect(try generate(options).completion.tokens == first)
        var other = options
        other.sampling.seed = 4
        #expect(try generate(other).completion.tokens != first)
    }

    @Test func progress() throws {
        let model = try openFixture("llama-default")
        var decoder = Decoder(model: model, capacity: 40, chunk: 4)
        var told: [Int] = []
        _ = try decoder.generate(
            Array(repeating: 70, count: 10), GenerationOptions(maxTokens: 1), tokenizer: model.tokenizer, endOfText: [],
            onProgress: { told.append($0) }, onPiece: { _ in })
        #expect(told == [4, 8])
    }
}
