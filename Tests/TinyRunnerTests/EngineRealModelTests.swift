import Synchronization
import Testing
import TinyModels
import TinyTestSupport

@testable import TinyRunner

/// An engine with a model that is wide enough for its prompts to be rounded as such, where a machine does that.
@Suite("Engine with a real model", .timeLimit(.minutes(10)))
struct EngineRealModelTests {
    private func model() throws -> Model {
        try Model(at: #require(RealModel.path, "run scripts/fetch_weights, or set TINYGPT_TEST_MODEL"), threads: 2)
    }

    private func greedy(_ tokens: Int) -> GenerationOptions { GenerationOptions(maxTokens: tokens, ignoresEnd: true) }

    private func alone(_ prompt: [Int], _ options: GenerationOptions, _ model: Model) throws -> [Int] {
        var decoder = model.decoder(capacity: 400)
        return try decoder.generate(
            prompt, options, tokenizer: model.tokenizer, endOfText: model.endOfText, onPiece: { _ in }
        ).tokens
    }

    /// Prompts of all lengths, cut wherever a chunk ends, beside up to five others.
    @Test func aRequestDoesNotDependOnItsCompany() async throws {
        let model = try model()
        let text = try model.tokens("The mule that carried the mail over the pass was called Jenny. 她每天走三十里路，从不迷路。")
        let engine = try Engine(model, Engine.Options(slots: 6, context: 200, chunk: 21))
        try await withThrowingTaskGroup(of: (Int, [Int]).self) { group in
            for count in [1, 2, 3, 7, 16, text.count] {
                group.addTask { [self] in
                    let request = Engine.Request(prompt: Array(text.prefix(count)), greedy(6 + count % 3))
                    return (count, try await engine.complete(request).tokens)
                }
            }
            for try await (count, tokens) in group {
                let expected = try alone(Array(text.prefix(count)), greedy(6 + count % 3), model)
                #expect(tokens == expected, "\(count) tokens")
            }
        }
    }

    /// What an answer left in the cache is read again where prompts are rounded otherwise, in parts that nobody waits long
    /// for, and then gives what a prompt would.
    @Test func anAnswerIsSettledInSmallParts() async throws {
        let model = try model()
        let passes = Passes()
        let engine = try Engine(model, Engine.Options(slots: 1, context: 300), beforePass: { passes.count += 1 })
        let first = try model.tokens("Once upon a time there was a mule")
        let answer = try await engine.complete(Engine.Request(prompt: first, greedy(130))).tokens
        let agree = EngineReader(model, slots: 1, context: 300, chunk: 256).phasesAgree
        // One for the prompt, one for each token that another one follows, and 64 tokens at a time.
        let expected = 1 + 129 + (agree ? 0 : 3)
        for _ in 0..<6000 where passes.count < expected { try await Task.sleep(for: .milliseconds(10)) }
        #expect(passes.count == expected)
        let next = first + answer + [5, 6]
        let turn = try await engine.complete(Engine.Request(prompt: next, greedy(8)))
        #expect(turn.cachedTokens == first.count + 129)
        #expect(turn.tokens == (try alone(next, greedy(8), model)))
    }
}

private final class Passes: Sendable {
    private let passes = Mutex(0)
    var count: Int {
        get { passes.withLock(\.self) }
        set { passes.withLock { $0 = newValue } }
    }
}
