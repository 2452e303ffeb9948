import Foundation
import Testing
import TinyLayers
import TinyModels
import TinyTensor
import TinyTestSupport
import TinyTokenizer

@testable import TinyRunner

@Suite("Traces")
struct TraceTests {
    private let tokens = (0..<14).map { 20 + ($0 * 37) % 250 }

    // MARK: Scores

    /// By the definition, from the logits of each step.
    @Test(arguments: ["llama-default", "gpt2-default"]) func scores(_ name: String) throws {
        let model = try openFixture(name, .exact)
        let trace = try model.trace(tokens: tokens, TraceOptions(top: 3))
        #expect(trace.tokens.map(\.id) == tokens && trace.scoredCount == tokens.count - 1)
        #expect(trace.tokens[0].score == nil && trace.expected(at: 0) == nil)
        var decoder = model.decoder(capacity: tokens.count)
        var sum = 0.0
        for (index, token) in tokens.enumerated() {
            let logits = try decoder.read([token]) { values($0) }
            let weights = logits.map { exp(Double($0)) }
            let total = weights.reduce(0, +)
            let next = try #require(trace.tokens[index].next)
            let order = logits.indices.sorted { logits[$0] > logits[$1] }
            #expect(next.candidates.map(\.token) == Array(order.prefix(3)))
            #expect(abs(Double(next.candidates[0].probability) - weights[order[0]] / total) < 1e-5)
            let entropy = -weights.reduce(0) { $0 + $1 / total * log2($1 / total) }
            #expect(abs(next.entropy - entropy) < 1e-4, "\(next.entropy), not \(entropy)")
            guard index + 1 < tokens.count else { continue }
            let (score, target) = (try #require(trace.tokens[index + 1].score), tokens[index + 1])
            #expect(abs(score.logProbability - log(weights[target] / total)) < 1e-4)
            #expect(score.rank == (order.firstIndex(of: target) ?? -1) + 1)
            sum += log(weights[target] / total)
        }
        #expect(abs(trace.logProbability - sum) < 1e-3)
        #expect(abs((trace.perplexity ?? 0) / exp(-sum / Double(tokens.count - 1)) - 1) < 1e-3)
        let perplexity = try model.perplexity(of: tokens, window: tokens.count)
        if (try model.tokenizer.opening).isEmpty {
            #expect(abs(perplexity.value / (trace.perplexity ?? 0) - 1) < 1e-9)
        }
    }

    /// Chunks change nothing, nor do threads: a text longer than a chunk of logits.
    @Test func longTexts() throws {
        let model = try openFixture("llama-yarn", .exact, threads: 2)
        let long = (0..<300).map { 3 + ($0 * 37 + $0 / 7) % (model.spec.vocabulary - 3) }
        var told: [Int] = []
        let trace = try model.trace(tokens: long, TraceOptions(top: 1), onProgress: { told.append($0) })
        #expect(told == [256, 300] && trace.scoredCount == 299)
        let perplexity = try model.perplexity(of: long, window: 300)
        #expect(abs(perplexity.negativeLogLikelihood + trace.logProbability) < 1e-6)
    }

    // MARK: Walks

    @Test func walk() throws {
        let model = try openFixture("llama-default")
        let trace = try model.trace(tokens: tokens, TraceOptions(top: 2, scoresText: false, steps: 6))
        var decoder = model.decoder(capacity: 40)
        let completion = try decoder.generate(
            tokens, GenerationOptions(maxTokens: 6), tokenizer: model.tokenizer, endOfText: model.endOfText
        ) { _ in }
        let chosen = trace.tokens.filter(\.isChosen)
        #expect(chosen.map(\.id) == completion.tokens && trace.stopReason == .maxTokens)
        #expect(chosen.allSatisfy { $0.score?.rank == 1 } && trace.scoredCount == 6)
        for index in tokens.count..<trace.tokens.count {
            let best = try #require(trace.expected(at: index)?.candidates.first)
            #expect(best.token == trace.tokens[index].id)
            #expect(abs(Double(best.probability) - (trace.tokens[index].score?.probability ?? 0)) < 1e-6)
        }
        // Behind the last one too.
        #expect(trace.next != nil)
        #expect(try model.trace(tokens: tokens).stopReason == nil)
    }

    /// Forty learned positions: the last token that fits is chosen, and nothing is asked behind it.
    @Test func fullContext() throws {
        let model = try openFixture("gpt2-default")
        let trace = try model.trace(tokens: tokens, TraceOptions(scoresText: false, steps: 100, attention: [1]))
        #expect(trace.stopReason == .contextFull && trace.tokens.count == 41 && trace.next == nil)
        #expect(trace.attention[0].count == 40)
        #expect(throws: RunnerError.contextTooLong(limit: 40, wanted: 41)) {
            _ = try model.trace(tokens: Array(repeating: 7, count: 41))
        }
    }

    // MARK: Lens and attention

    /// One fixture for each way of wiring, of position, and of head: what the last layer would say is what the model says.
    static let fixtures = [
        "gpt2-default", "llama-default/model.Q4_0.gguf", "gemma2-default", "falcon-7b", "bloom-default", "opt-350m",
        "gpt_oss-default", "minicpm3-default", "hunyuan_moe-default", "olmo2-default", "chatglm-default",
        "codegen-default", "baichuan-2-13b", "moss-default", "pangu_alpha-default", "qwen3_moe-default",
    ]

    @Test(arguments: fixtures, [true, false]) func lensAndAttention(_ name: String, _ scoresText: Bool) throws {
        let model = try openFixture(name, threads: 2)
        let count = model.spec.layers.count
        let tokens = tokens.map { 3 + $0 % (model.spec.vocabulary - 3) }  // some know but 64
        let options = TraceOptions(
            top: 4, scoresText: scoresText, steps: 2, lens: [count, 0], attention: Array(1...count))
        let trace = try model.trace(tokens: tokens, options)
        #expect(trace.lensLayers == [0, count])
        for (index, token) in trace.tokens.enumerated() where token.next != nil {
            #expect(token.lens.count == 2 && token.lens[1] == token.next, "token \(index)")
            #expect(token.lens[0] != token.next)
        }
        #expect(trace.tokens.count { $0.next != nil } == (scoresText ? trace.tokens.count : 3))
        #expect(trace.attention.map(\.layer) == Array(1...count))
        for map in trace.attention {
            #expect(map.heads == model.spec.layers[map.layer - 1].attention.heads)
            #expect(map.count == trace.tokens.count)
            for head in 0..<map.heads {
                for token in 0..<map.count {
                    let weights = map.weights(head: head, token: token)
                    let sum = weights.reduce(map.elsewhere(head: head, token: token)) { $0 + $1 }
                    #expect(weights.count == token + 1 && abs(sum - 1) < 1e-5 && weights.allSatisfy { $0 >= 0 })
                }
            }
        }
        // Sinks take their share, and only where there are some.
        let elsewhere = trace.attention[0].elsewhere(head: 0, token: 5)
        #expect((elsewhere > 0) == (name == "gpt_oss-default"))
    }

    /// Vectors in front of the text are no tokens of it, and a token of a prompt sees those behind it.
    @Test func seesAhead() throws {
        let model = try openFixture("cpmant-default")
        let trace = try model.trace(
            tokens: [5, 9, 2, 33], TraceOptions(scoresText: false, lens: [1], attention: [1]))
        #expect(trace.attention[0].weights(head: 0, token: 0).count == 4 && trace.attention[0].hasElsewhere)
        #expect(trace.attention[0].elsewhere(head: 0, token: 0) > 0)
        #expect(trace.tokens.map(\.lens.count) == [0, 0, 0, 1])
        #expect(throws: RunnerError.seesAhead(family: model.family)) { _ = try model.trace(tokens: [5, 9]) }
    }

    /// Made by hand to look one token back: it is seen to do so, in both precisions, in the prompt and beyond.
    @Test(arguments: [Precision.exact, .fast]) func looksBack(_ precision: Precision) throws {
        let folder = LookingBackModel.write()
        let model = try Model(at: folder.path, precision: precision, threads: 1)
        #expect(model.warnings == [])
        let trace = try model.trace(tokens: tokens, TraceOptions(steps: 3, attention: [1]))
        let map = trace.attention[0]
        #expect(map.count == tokens.count + 3 && map.heads == 2)
        for token in 0..<map.count {
            #expect(map.weights(head: 0, token: token)[max(0, token - 1)] > 0.99, "token \(token)")
            #expect(map.weights(head: 1, token: token)[token] > 0.99, "token \(token)")
        }
    }

    // MARK: Errors

    @Test func errors() throws {
        let model = try openFixture("llama-default")
        func error(_ tokens: [Int], _ options: TraceOptions = TraceOptions()) -> RunnerError? {
            do {
                _ = try model.trace(tokens: tokens, options)
                return nil
            } catch { return error as? RunnerError }
        }
        #expect(error([]) == .noTokens)
        #expect(error([288]) == .tokenOutOfRange(token: 288, vocabulary: 288))
        #expect("\(try #require(error([1], TraceOptions(lens: [4]))))".contains("lens(4)"))
        #expect("\(try #require(error([1], TraceOptions(attention: [0]))))".contains("1 to 3"))
        #expect("\(try #require(error([1], TraceOptions(top: 0))))".contains("top"))
        #expect("\(try #require(error([1], TraceOptions(steps: -1))))".contains("steps"))
        let endless = try openFixture("llama-dynamic")
        let tooMany = #expect(throws: RunnerError.self) {
            _ = try endless.trace(tokens: [7], TraceOptions(steps: .max, attention: [1, 2]))
        }
        #expect("\(try #require(tooMany))".contains("2 layers"))
        let encoder = try openFixture("bert-mlm")
        #expect(throws: RunnerError.noContinuation(family: encoder.family)) { _ = try encoder.trace(tokens: [3, 4]) }
        var decoder = model.decoder(capacity: 4)
        let probe = Probe([.stream(9)]) { _, _ in }
        do {
            try decoder.read([1], probe: probe) { _ in }
            Issue.record("a layer that is not there")
        } catch { #expect(error is RunnerError) }
        #expect(decoder.count == 0)
    }
}

@Suite("Selection of candidates")
struct LargestLogitsTests {
    /// Random logits with many equal ones: as a sort has them.
    @Test(arguments: [1, 2, 7, 100, 499, 500, 1000]) func asSorted(_ count: Int) {
        var random = TinyTestSupport.SplitMix64(seed: UInt64(count))
        var logits = (0..<500).map { _ in Float(random.below(60)) }
        logits[17] = .nan
        logits[18] = -.infinity
        let expected = logits.indices.filter { !logits[$0].isNaN }
            .sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
        #expect(LargestLogits(count, of: logits.span).entries.map(\.token) == Array(expected.prefix(count)))
    }

    /// Of a large vocabulary all, in the order that insertion is slowest at: minutes if it were quadratic.
    @Test func wholeVocabulary() {
        let logits = (0..<40_000).map { Float(-$0) }
        let start = threadMilliseconds()
        let top = Candidate.top(logits.count, of: logits.span)
        #expect(top.count == 40_000 && top[39_999].token == 39_999)
        #expect(threadMilliseconds() - start < 8000)
    }

    @Test func entropy() {
        let even = [Float](repeating: 3, count: 64)
        #expect(abs(Prediction(even.span, top: 1).entropy - 6) < 1e-12)
        let sure: [Float] = [0, 500, -.infinity]
        #expect(Prediction(sure.span, top: 3).entropy < 1e-100)
        #expect(TokenScore(of: 1, sure.span) == TokenScore(of: 1, sure.span))
        #expect(TokenScore(of: 2, sure.span).logProbability == -.infinity && TokenScore(of: 2, sure.span).rank == 3)
    }
}
