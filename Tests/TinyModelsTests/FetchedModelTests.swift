import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyRunner
import TinyTensor
import TinyTestSupport

/// Gemma 3 270M, Q4_K_M, against `transformers`, which dequantized the same file. Its 262144 logits a token are why there
/// are several references, and its blocks are Q4_K, Q5_0, Q6_K and Q8_0.
@Suite("Gemma 3 270M", .serialized)
struct Gemma3ModelTests {
    static let names = ["reference", "reference.logits", "reference.long"]

    /// What is left is the order of sums: 1e-6 with the worst set of instructions, and it is in the last state.
    @Test(arguments: names) func exact(_ name: String) throws {
        for output in try verification(name, .exact, tolerance: 1e-5).outputs {
            #expect(
                output.passed,
                "\(output.name): row \(output.firstBadRow ?? -1), \(output.maxAbsDiff) of \(output.maxAbsReference)")
        }
    }

    /// Activations of 15 bits and a cache of halves cost 4e-4 in logits, tiles of bf16 and coarse activations 5e-3.
    @Test(arguments: names) func fast(_ name: String) throws {
        let isRounded = try Compute(precision: .fast).roundsPrompts(by: .q4K, columns: 1024)
        for output in try verification(name, .fast, tolerance: isRounded ? 2e-2 : 2e-3).outputs {
            #expect(
                output.passed,
                "\(output.name): row \(output.firstBadRow ?? -1), \(output.maxAbsDiff) of \(output.maxAbsReference)")
        }
    }

    /// One matrix is enough, and in `exact` none is rounded.
    @Test func promptsAreRoundedAsSomeOfTheWeightsAsk() throws {
        let path = try #require(RealModel.fetched("gemma-3-270m-q4_k_m.gguf"), "run scripts/fetch_weights gemma-3-270m")
        let (fast, exact) = (try Model(at: path, precision: .fast), try Model(at: path, precision: .exact))
        #expect(fast.roundsPrompts == fast.compute.roundsPrompts(by: .q4K, columns: 2048))
        #expect(fast.roundsPrompts == ["amx", "avx512vnni", "avx2"].contains(fast.instructionSet))
        #expect(!exact.roundsPrompts)
    }

    private func verification(_ name: String, _ precision: Precision, tolerance: Double) throws -> Verification {
        let path = try #require(RealModel.fetched("gemma-3-270m-q4_k_m.gguf"), "run scripts/fetch_weights gemma-3-270m")
        let model = try Model(at: path, precision: precision)
        #expect(model.warnings == [])
        let result = try Verification(
            model: model, reference: Safetensors(path: Fixtures.path("gemma3-270m/\(name).safetensors")),
            tolerance: tolerance)
        let expected =
            switch name {
            case "reference":
                [0, 1, 6, 12, 18].map { ("hidden.\($0)", 43) } + [("last_hidden_state", 43), ("greedy", 32)]
            case "reference.logits": [("logits", 2), ("greedy", 32)]
            default: [("greedy", 12)]
            }
        #expect(result.outputs.map(\.name) == expected.map(\.0))
        #expect(result.outputs.map(\.rows) == expected.map(\.1))
        return result
    }
}

/// all-MiniLM-L6-v2 against `transformers`: an encoder, float weights as released.
@Suite("MiniLM")
struct MiniLMModelTests {
    /// A pair of sentences, whose tokens are of two kinds. Of the 1e-4, `exact` needs 1e-6, and `fast`, whose keys
    /// and values are halves, 2e-4; with tiles of bf16 2e-3. All are worst in the pooled vector.
    @Test(arguments: [Precision.exact, .fast]) func statesAndPooledVector(_ precision: Precision) throws {
        let usesTiles = try Compute(precision: precision).usesTiles
        let tolerance = precision == .exact ? 1e-5 : usesTiles ? 1e-2 : 1e-3
        let result = try Verification(
            model: model(precision), reference: Safetensors(path: Fixtures.path("minilm/reference.safetensors")),
            tolerance: tolerance)
        for output in result.outputs {
            #expect(
                output.passed,
                "\(output.name): row \(output.firstBadRow ?? -1), \(output.maxAbsDiff) of \(output.maxAbsReference)")
        }
        #expect(result.outputs.map(\.name) == (0...6).map { "hidden.\($0)" } + ["last_hidden_state", "pooler_output"])
        #expect(result.outputs.map(\.rows) == Array(repeating: 17, count: 8) + [1])
    }

    /// What the model is used for: the mean of the last states, of length 1; its largest elements are about 0.2.
    @Test(arguments: 0..<6) func sentenceVector(_ number: Int) throws {
        let reference = try Safetensors(path: Fixtures.path("minilm/sentences.safetensors"))
        let tokens = try #require(reference.index["token_ids.\(number)"]).integers()
        let stored = try #require(reference.index["sentence_embedding.\(number)"])
        let model = try model(.exact)
        var decoder = Decoder(model: model, capacity: tokens.count, allLogits: true)
        var sum = [Double](repeating: 0, count: model.spec.width)
        try decoder.readAll(
            tokens,
            probe: Probe([.final]) { reading, values in
                let width = reading.shape[1]
                for i in values.indices { sum[i % width] += Double(values[i]) }
            }
        ) { _, _ in }
        let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(length > 0)
        let expected = try stored.joinedMatrix().floats().map(Double.init)
        expectClose(sum.map { Float($0 / length) }, expected, within: { _ in 1e-6 }, "sentence \(number)")
    }

    private func model(_ precision: Precision) throws -> Model {
        let path = try #require(RealModel.fetched("all-MiniLM-L6-v2"), "run scripts/fetch_weights all-MiniLM-L6-v2")
        let model = try Model(at: path, precision: precision)
        #expect(model.warnings == [])
        return model
    }
}
