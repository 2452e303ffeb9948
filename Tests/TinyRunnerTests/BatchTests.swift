import Synchronization
import Testing
import TinyLayers
import TinyModels
import TinyTensor
import TinyTestSupport

@testable import TinyRunner

/// Passes over parts of several texts, below the scheduler.
@Suite("Batches")
struct BatchTests {
    /// All that a model gives for a text's prompt and a few tokens more is the same to the bit alone and beside others, in
    /// whatever parts the prompt was read: positions of every kind, windows, biases, sinks, mixtures, latent heads, lengths
    /// that rotations go by.
    @Test(arguments: [
        "llama-default", "llama-dynamic", "llama-yarn", "gpt2-default", "bloom-default", "baichuan-13b", "falcon-40b",
        "gemma3-default", "gemma2-default", "gpt_oss-default", "glm4_moe-default", "minicpm3-longrope", "phi3-longrope",
        "pangu_alpha-default", "opt-350m", "mixtral-default", "gpt_neox-default", "qwen2-sliding",
    ])
    func aTextDoesNotDependOnItsCompany(_ name: String) throws {
        for precision in Precision.allCases {
            let model = try Model(at: Fixtures.path(name), precision: precision, threads: 2)
            let longest = min(70, (model.spec.positionRows ?? 70) - 4)
            let prompts = [[3, 5, 7, 2], [1], (1...longest).map { $0 % 60 }, [9, 9, 9], (0..<34).map { $0 * 7 % 60 }]
            let alone = try prompts.map { try aloneLogits($0, model) }
            let together = togetherLogits(prompts, model, chunk: 200)
            let inParts = togetherLogits(prompts, model, chunk: 13)
            for index in prompts.indices {
                for step in 0..<4 {
                    let context = Comment("\(name), \(precision), text \(index), step \(step)")
                    #expect(alone[index][step] == together[index][step], context)
                    #expect(alone[index][step] == inParts[index][step], context)
                }
            }
        }
    }

    /// Where texts cannot stand beside others, one after the other gives what each gives alone: vectors in front of every text,
    /// rotations that go by the prompt.
    @Test(arguments: ["cpmbee-default", "cpmant-default", "qwen-long"])
    func oneAfterTheOther(_ name: String) throws {
        let model = try Model(at: Fixtures.path(name), threads: 2)
        #expect(model.spec.readsAlone || model.spec.seesAhead)
        for prompt in [[3, 5, 7, 2], (0..<40).map { $0 * 7 % 60 }, [1]] {
            #expect(togetherLogits([prompt], model, chunk: 200)[0] == (try aloneLogits(prompt, model)), "\(name)")
        }
    }

    /// The logits behind the prompt and behind three tokens more.
    private func aloneLogits(_ prompt: [Int], _ model: Model) throws -> [[Float]] {
        var decoder = model.decoder(capacity: prompt.count + 4)
        var logits = [try decoder.read(prompt) { copy($0) }]
        for token in 0..<3 { logits.append(try decoder.step(token + 1) { copy($0) }) }
        return logits
    }

    private func togetherLogits(_ prompts: [[Int]], _ model: Model, chunk: Int) -> [[[Float]]] {
        let longest = (prompts.map(\.count).max() ?? 0) + 4
        let capacity = prompts.reduce(0) { $0 + $1.count + 4 }
        let reader = EngineReader(model, slots: prompts.count, context: capacity, chunk: max(chunk, prompts.count))
        let slots = prompts.map { _ in
            EngineSlot(
                cache: KeyValueCache(spec: model.spec, capacity: longest, precision: model.compute.precision))
        }
        let found = Found(texts: prompts.count)
        func pass(_ parts: [(text: Int, tokens: ArraySlice<Int>, length: Int, isLast: Bool)], _ phase: Phase) {
            let read = parts.map {
                EngineReader.Part(
                    slot: slots[$0.text], tokens: $0.tokens, length: $0.length,
                    wanted: $0.isLast ? $0.tokens.count - 1..<$0.tokens.count : 0..<0)
            }
            let texts = parts.map(\.text)
            reader.read(read, phase) { part, _, logits in found.add(copy(logits), text: texts[part]) }
        }
        var positions = prompts.map { _ in 0 }
        while let first = prompts.indices.first(where: { positions[$0] < prompts[$0].count }) {
            var parts: [(Int, ArraySlice<Int>, Int, Bool)] = []
            var rows = 0
            for text in (first..<prompts.count).reversed() where rows < chunk {
                let end = min(prompts[text].count, positions[text] + chunk - rows)
                if end == positions[text] { continue }
                parts.append(
                    (text, prompts[text][positions[text]..<end], prompts[text].count, end == prompts[text].count))
                rows += end - positions[text]
                positions[text] = end
            }
            pass(parts, .prompt)
        }
        for token in 0..<3 {
            pass(prompts.indices.map { ($0, [token + 1], prompts[$0].count + token + 1, true) }, .decode)
        }
        return found.all
    }

    private final class Found: Sendable {
        private let logits: Mutex<[[[Float]]]>
        init(texts: Int) { logits = Mutex(Array(repeating: [], count: texts)) }
        func add(_ row: [Float], text: Int) { logits.withLock { $0[text].append(row) } }
        var all: [[[Float]]] { logits.withLock(\.self) }
    }
}

private func copy(_ logits: Span<Float>) -> [Float] { logits.indices.map { logits[$0] } }
