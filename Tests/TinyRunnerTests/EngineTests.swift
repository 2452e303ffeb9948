import Testing
import TinyLayers
import TinyModels
import TinyTensor
import TinyTestSupport
import TinyTokenizer

@testable import TinyRunner

@Suite("Engine", .timeLimit(.minutes(5)))
struct EngineTests {
    private func model(_ name: String = "llama-default", precision: Precision = .fast) throws -> Model {
        try Model(at: Fixtures.path(name), precision: precision, threads: 2)
    }

    private func prompts(_ count: Int, shared: Int = 0) -> [[Int]] {
        (0..<count).map { text in
            (0..<shared).map { $0 % 200 + 3 } + (0..<(5 + text * 7 % 40)).map { ($0 * 11 + text * 17) % 250 }
        }
    }

    private func options(_ text: Int) -> GenerationOptions {
        GenerationOptions(
            maxTokens: 12 + text % 9,
            sampling: text % 3 == 0 ? .greedy : .sampled(temperature: 0.9, topP: 0.95, seed: UInt64(text)),
            ignoresEnd: true)
    }

    /// What a decoder of its own makes of it.
    private func alone(_ prompt: [Int], _ options: GenerationOptions, _ model: Model) throws -> Completion {
        var decoder = model.decoder(capacity: 200)
        return try decoder.generate(
            prompt, options, tokenizer: model.tokenizer, endOfText: model.endOfText, onPiece: { _ in })
    }

    /// More requests than slots, long and short, that begin alike and that do not, all at once: each gives what it gives alone.
    @Test(arguments: ["llama-default", "gpt2-default", "llama-dynamic", "llama-mistral"])
    func aRequestDoesNotDependOnItsCompany(_ name: String) async throws {
        for precision in Precision.allCases {
            let model = try model(name, precision: precision)
            let context = model.spec.positionRows ?? 100
            let engine = try Engine(model, Engine.Options(slots: 3, context: context, chunk: 16))
            let prompts = (prompts(8) + prompts(4, shared: 40)).map { Array($0.prefix(context - 20)) }
            try await withThrowingTaskGroup(of: (Int, Completion).self) { group in
                for (index, prompt) in prompts.enumerated() {
                    group.addTask {
                        (index, try await engine.complete(Engine.Request(prompt: prompt, options(index))))
                    }
                }
                for try await (index, completion) in group {
                    let expected = try alone(prompts[index], options(index), model)
                    #expect(completion.tokens == expected.tokens, "\(name), \(precision), text \(index)")
                    #expect(completion.text == expected.text)
                    #expect(completion.stopReason == expected.stopReason)
                }
            }
            let status = engine.status
            #expect(status.totals.finished == prompts.count)
            #expect((status.waiting, status.reading, status.decoding) == (0, 0, 0))
            #expect(status.totals.promptTokens == prompts.reduce(0) { $0 + $1.count })
        }
    }

    @Test func piecesJoinToTheText() async throws {
        let model = try model()
        let engine = try Engine(model, Engine.Options(slots: 1, context: 100))
        let request = Engine.Request(
            prompt: [1, 2, 3], GenerationOptions(maxTokens: 20, ignoresEnd: true), candidates: 3, promptCandidates: 2)
        var (text, tokens, scores, kinds) = ("", [ScoredToken](), [ScoredToken](), [String]())
        var last: Completion?
        for try await event in try engine.stream(request) {
            switch event {
            case .started(let cached):
                #expect(cached == 0)
                kinds.append("started")
            case .read(let count):
                #expect(count == 3)
                kinds.append("read")
            case .promptScores(let found):
                scores = found
                kinds.append("scores")
            case .piece(let piece):
                text += piece.text
                tokens += piece.tokens
            case .finished(let completion): last = completion
            }
        }
        let completion = try #require(last)
        #expect(kinds == ["started", "read", "scores"])
        #expect(text == completion.text)
        #expect(tokens == completion.scored && tokens.map(\.token) == completion.tokens)
        #expect(tokens.count == 20)
        // Greedy: each is the first of its candidates, and as likely as they say.
        for token in tokens {
            #expect(token.candidates.count == 3 && token.candidates[0].token == token.token && token.score?.rank == 1)
        }
        #expect(scores.map(\.token) == [1, 2, 3] && scores == completion.promptScores)
        #expect(scores[0].score == nil && scores[0].candidates.isEmpty)
        var decoder = model.decoder(capacity: 10)
        try decoder.read([1]) { #expect(scores[1].score == TokenScore(of: 2, $0)) }
        #expect(scores[2].candidates.count == 2)
    }

    /// Nothing is generated, the prompt is only scored; in chunks, with more rows than logits are worked out at a time.
    @Test func aPromptIsScored() async throws {
        let model = try model(precision: .exact)
        let engine = try Engine(model, Engine.Options(slots: 2, context: 120, chunk: 30))
        let prompt = (0..<100).map { $0 * 13 % 250 }
        let request = Engine.Request(prompt: prompt, GenerationOptions(maxTokens: 0), promptCandidates: 1)
        let completion = try await engine.complete(request)
        #expect(completion.tokens.isEmpty && completion.stopReason == .maxTokens)
        var decoder = model.decoder(capacity: 120)
        for (index, token) in prompt.enumerated() where index + 1 < prompt.count {
            try decoder.step(token) { logits in
                let expected = TokenScore(of: prompt[index + 1], logits)
                let found = completion.promptScores[index + 1].score
                #expect(abs((found?.logProbability ?? 0) - expected.logProbability) < 1e-4, "token \(index + 1)")
            }
        }
        // What is in the cache now is not used, as every token has to be scored.
        #expect(try await engine.complete(request).cachedTokens == 0)
    }

    @Test func whatWasReadIsNotReadAgain() async throws {
        let model = try model()
        let engine = try Engine(model, Engine.Options(slots: 2, context: 150))
        let first = prompts(1, shared: 60)[0]
        let options = GenerationOptions(maxTokens: 8, ignoresEnd: true)
        let one = try await engine.complete(Engine.Request(prompt: first, options))
        #expect(one.cachedTokens == 0)
        // The same again, then the next turn of it.
        let again = try await engine.complete(Engine.Request(prompt: first, options))
        #expect(again.cachedTokens == first.count - 1 && again.tokens == one.tokens)
        let next = first + one.tokens + [5, 6]
        let turn = try await engine.complete(Engine.Request(prompt: next, options, reuse: .everything))
        #expect(turn.cachedTokens >= first.count + one.tokens.count - 1)
        let fresh = try await engine.complete(Engine.Request(prompt: next, options, reuse: .nothing))
        #expect(fresh.cachedTokens == 0)
        #expect(engine.status.totals.cachedTokens == again.cachedTokens + turn.cachedTokens)
    }

    /// What an answer left in the cache is read again while there is nothing else to do, and gives the same as if it had never
    /// been there.
    @Test func anAnswerIsSettled() async throws {
        let model = try model()
        let engine = try Engine(model, Engine.Options(slots: 1, context: 150))
        let first = prompts(1, shared: 30)[0]
        let one = try await engine.complete(
            Engine.Request(prompt: first, GenerationOptions(maxTokens: 20, ignoresEnd: true)))
        let next = first + one.tokens + [5, 6]
        let options = GenerationOptions(maxTokens: 10, ignoresEnd: true)
        var turn = try await engine.complete(Engine.Request(prompt: next, options))
        for _ in 0..<200 where turn.cachedTokens < next.count - 3 {
            try await Task.sleep(for: .milliseconds(10))
            turn = try await engine.complete(Engine.Request(prompt: next, options))
        }
        #expect(turn.cachedTokens >= next.count - 3)
        let expected = try alone(next, options, model)
        #expect(turn.tokens == expected.tokens)
    }

    @Test func cancellingFreesTheSlot() async throws {
        for round in 0..<3 {
            let gate = PassGate(passes: 8)
            let engine = try Engine(model(), Engine.Options(slots: 1, context: 4000), beforePass: { gate.pass() })
            do {
                var pieces = 0
                for try await event in try engine.stream(Engine.Request(prompt: [round + 1, 2], endless)) {
                    if case .piece = event { pieces += 1 }
                    if pieces == 5 { break }
                }
            }
            gate.open()
            // The only slot is free for the next one.
            let short = try await engine.complete(
                Engine.Request(prompt: [9, 9], GenerationOptions(maxTokens: 2, ignoresEnd: true)))
            #expect(short.tokens.count == 2)
            #expect(engine.status.totals.cancelled == 1)
        }
    }

    /// Nobody has to hold the engine while a stream of it is read.
    @Test func aStreamKeepsItsEngine() async throws {
        let request = Engine.Request(prompt: [1, 2], GenerationOptions(maxTokens: 30, ignoresEnd: true))
        let stream = try Engine(try model(), Engine.Options(slots: 1, context: 100)).stream(request)
        var tokens = 0
        for try await event in stream { if case .finished(let completion) = event { tokens = completion.tokens.count } }
        #expect(tokens == 30)
    }

    /// An engine whose only slot is taken, for as long as the gate is not opened.
    private func busyEngine(queueLimit: Int = 64) async throws -> (Engine, Task<Completion, any Error>, PassGate) {
        let gate = PassGate(passes: 3)
        let options = Engine.Options(slots: 1, context: 4000, queueLimit: queueLimit)
        let engine = try Engine(model(), options, beforePass: { gate.pass() })
        let request = Engine.Request(prompt: [1, 2], endless)
        let running = Task { try await engine.complete(request) }
        while engine.status.decoding == 0 { try await Task.sleep(for: .milliseconds(2)) }
        return (engine, running, gate)
    }

    private let endless = GenerationOptions(maxTokens: .max, ignoresEnd: true)

    @Test func cancellingWhileWaiting() async throws {
        let (engine, running, gate) = try await busyEngine(queueLimit: 1)
        let request = Engine.Request(prompt: [3, 4], endless)
        let waiting = Task { try await engine.complete(request) }
        while engine.status.waiting == 0 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(throws: EngineError.queueFull(limit: 1)) { try engine.stream(Engine.Request(prompt: [5], endless)) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(engine.status.waiting == 0)
        running.cancel()
        _ = await running.result
        gate.open()
        while engine.status.decoding > 0 { try await Task.sleep(for: .milliseconds(2)) }
        #expect(engine.status.totals.rejected == 1)
        #expect(engine.status.totals.cancelled == 2)
    }

    @Test func aTimeLimitWhileRunning() async throws {
        let gate = PassGate(passes: 3)
        let engine = try Engine(model(), Engine.Options(slots: 1, context: 4000), beforePass: { gate.pass() })
        let limited = Engine.Request(prompt: [1, 2], endless, timeLimit: .seconds(4))
        let running = Task { try await engine.complete(limited) }
        while engine.status.decoding == 0 { try await Task.sleep(for: .milliseconds(2)) }
        try await Task.sleep(for: .seconds(4))
        gate.open()
        await #expect(throws: EngineError.timeLimit(seconds: 4, isWaiting: false)) { try await running.value }
        #expect(engine.status.totals.timedOut == 1)
    }

    @Test func aTimeLimitWhileWaiting() async throws {
        let (engine, running, gate) = try await busyEngine()
        let limited = Engine.Request(prompt: [1, 2], endless, timeLimit: .milliseconds(50))
        let waiting = Task { try await engine.complete(limited) }
        while engine.status.waiting == 0 { try await Task.sleep(for: .milliseconds(2)) }
        try await Task.sleep(for: .milliseconds(60))
        gate.open()
        await #expect(throws: EngineError.timeLimit(seconds: 0.05, isWaiting: true)) { try await waiting.value }
        #expect(engine.status.totals.timedOut == 1)
        running.cancel()
        _ = await running.result
    }

    @Test func draining() async throws {
        let engine = try Engine(model(), Engine.Options(slots: 2, context: 100))
        let request = Engine.Request(prompt: [1, 2], GenerationOptions(maxTokens: 60, ignoresEnd: true))
        let task = Task { try await engine.complete(request) }
        while engine.status.totals.requests == 0 { try await Task.sleep(for: .milliseconds(2)) }
        await engine.drain()
        #expect(engine.status.isDraining)
        #expect(try await task.value.tokens.count == 60)
        #expect(throws: EngineError.draining) { try engine.stream(Engine.Request(prompt: [1])) }
    }

    @Test func stopping() async throws {
        let (engine, running, gate) = try await busyEngine()
        engine.stop()
        gate.open()
        await #expect(throws: CancellationError.self) { try await running.value }
        await engine.drain()
        #expect(throws: EngineError.draining) { try engine.stream(Engine.Request(prompt: [1])) }
    }

    @Test func whatCannotBeDoneIsRefused() async throws {
        let model = try model()
        let engine = try Engine(model, Engine.Options(slots: 1, context: 50))
        func refused(_ error: some Error & Equatable, _ request: Engine.Request) {
            #expect(throws: error) { try engine.stream(request) }
        }
        refused(RunnerError.noTokens, Engine.Request(prompt: []))
        refused(
            RunnerError.tokenOutOfRange(token: -1, vocabulary: model.spec.vocabulary), Engine.Request(prompt: [-1]))
        refused(
            EngineError.promptTooLong(tokens: 50, context: 50), Engine.Request(prompt: Array(repeating: 1, count: 50)))
        var request = Engine.Request(prompt: [1])
        request.options.maxTokens = -1
        refused(RunnerError.badParameter(name: "max-tokens", value: "-1", expected: "a number from 0 on"), request)
        request.options = GenerationOptions(sampling: .sampled(temperature: -1))
        refused(
            RunnerError.badParameter(name: "temperature", value: "-1.0", expected: "a number from 0 on"), request)
        // To the last place and no further.
        let full = try await engine.complete(
            Engine.Request(
                prompt: Array(repeating: 1, count: 49), GenerationOptions(maxTokens: 10, ignoresEnd: true)))
        #expect(full.tokens.count == 2 && full.stopReason == .contextFull)
    }

    @Test func theMemoryIsPlanned() throws {
        let model = try model()
        let plan = try Engine.Plan(model, Engine.Options(slots: 4, context: 128))
        #expect((plan.slots, plan.context) == (4, 128))
        #expect(
            plan.cacheBytes
                == 4 * KeyValueCache.byteCount(spec: model.spec, capacity: 128, precision: model.compute.precision))
        // A limit that leaves half of the cache's bytes.
        let tight = plan.weightBytes + plan.activationBytes + plan.cacheBytes / 2
        #expect {
            _ = try Engine.Plan(model, Engine.Options(slots: 4, context: 128, memoryLimit: tight))
        } throws: { error in
            guard case .noRoom(let refused)? = error as? EngineError else { return false }
            return refused.totalBytes > tight && refused.limitBytes == tight && "\(error)".contains("4 × 128 tokens")
        }
        // What was not asked for gives way.
        let fewer = try Engine.Plan(model, Engine.Options(context: 128, memoryLimit: tight))
        #expect(fewer.slots == 1 && fewer.context == 128)
        #expect(fewer.totalBytes <= tight)
        #expect(try Engine.Plan(model, Engine.Options()).context == model.contextLimit)
        #expect(throws: RunnerError.contextTooLong(limit: 40, wanted: 41)) {
            try Engine.Plan(try self.model("gpt2-default"), Engine.Options(context: 41))
        }
        // The longest there is comes to no room, and no number to a trap.
        #expect(throws: EngineError.self) { try Engine.Plan(model, Engine.Options(context: Int(Int32.max))) }
        for context in [90_000_000_000_000_000, .max] {
            #expect(throws: RunnerError.self) { try Engine.Plan(model, Engine.Options(context: context)) }
        }
        #expect(throws: RunnerError.badParameter(name: "slots", value: "0", expected: "1 to 1024")) {
            try Engine.Plan(model, Engine.Options(slots: 0))
        }
        #expect(throws: RunnerError.noContinuation(family: "BERT")) {
            try Engine(try Model(at: Fixtures.path("bert-model")))
        }
    }
}
