import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyTensor
import TinyTestSupport
import TinyTokenizer

@testable import TinyRunner

@Suite("Encoder")
struct EncoderTests {
    /// The same to the bit alone, in company, in another order, and on any number of threads: encoders, models that go by
    /// position in each of the ways there are, windows, biases of scores, mixtures.
    @Test(arguments: [
        "bert-model", "pangu_alpha-default", "llama-default", "llama-dynamic", "gpt2-default", "bloom-default",
        "gemma2-default", "gpt_oss-default",
        "glm4_moe-default", "minicpm3-default",
    ])
    func aVectorDoesNotDependOnItsCompany(_ name: String) throws {
        for precision in Precision.allCases {
            let model = try Model(at: Fixtures.path(name), precision: precision, threads: 2)
            let longest = min(40, model.spec.positionRows ?? 40)
            let tokens = [[3, 5, 7, 2], [1], Array(1...longest), [9, 9, 9], [8, 1, 2, 3, 4, 5, 6, 7, 8]]
            let together = states(of: tokens, model)
            let reversed = Array(states(of: tokens.reversed(), model).reversed())
            #expect(together == reversed, "\(name), \(precision)")
            for (index, text) in tokens.enumerated() {
                #expect(states(of: [text], model)[0] == together[index], "\(name), \(precision), text \(index)")
                #expect(
                    statesByDecoder(text, model) == together[index], "\(name), \(precision), text \(index) by decoder")
            }
        }
    }

    private func states(of texts: [[Int]], _ model: Model) -> [[Float]] {
        let tokens = texts.flatMap(\.self)
        let cache = KeyValueCache(spec: model.spec, capacity: tokens.count, precision: model.compute.precision)
        let packed = PackedTexts(counts: texts.map(\.count), in: cache)
        let scratch = Scratch(
            spec: model.spec, capacity: tokens.count, rows: tokens.count, logitRows: 0, texts: texts.count,
            compute: model.compute)
        return tokens.withUnsafeBufferPointer { tokens in
            let rows = model.transformer.states(
                tokens, types: nil, texts: packed, length: tokens.count, compute: model.compute, cache: cache,
                scratch: scratch)
            return texts.indices.map { rows.slice(packed.rows(ofText: $0)).values }
        }
    }

    /// As a text is read by itself, with no texts packed.
    private func statesByDecoder(_ text: [Int], _ model: Model) -> [Float] {
        let cache = KeyValueCache(spec: model.spec, capacity: text.count, precision: model.compute.precision)
        let scratch = Scratch(
            spec: model.spec, capacity: text.count, rows: text.count, logitRows: 0, compute: model.compute)
        return text.withUnsafeBufferPointer {
            model.transformer.states(
                $0, types: nil, texts: nil, length: text.count, compute: model.compute, cache: cache, scratch: scratch
            ).values
        }
    }

    /// Pooled states against means of the reference's last hidden states.
    @Test(
        arguments: ["bert-model", "llama-default"], [Pooling.mean, .first, .last, .maximum, .meanOfRoot, .weightedMean])
    func pooledStatesAreThoseOfTheReference(_ name: String, _ pooling: Pooling) throws {
        let model = try Model(at: Fixtures.path(name), precision: .exact, threads: 1)
        let reference = try Safetensors(path: Fixtures.path(name + "/reference.safetensors"))
        let tokens = try #require(reference.index["token_ids"]).integers()
        let types = try reference.index["token_type_ids"]?.integers()
        let stored = try #require(reference.index["last_hidden_state"]).joinedMatrix().floats().map(Double.init)
        let width = model.spec.width
        let expected = (0..<width).map { i -> Double in
            let column = tokens.indices.map { stored[$0 * width + i] }
            let count = Double(tokens.count)
            return switch pooling {
            case .mean: column.reduce(0, +) / count
            case .first: column[0]
            case .last: column[tokens.count - 1]
            case .maximum: column.max() ?? 0
            case .meanOfRoot: column.reduce(0, +) / count.squareRoot()
            case .weightedMean:
                column.enumerated().reduce(0) { $0 + Double($1.offset + 1) * $1.element } * 2 / (count * (count + 1))
            }
        }
        // In one part, and in parts of three tokens.
        for chunk in [tokens.count, 3] where chunk == tokens.count || !model.spec.seesAhead {
            var sum = PooledSum(pooling, width: width)
            let cache = KeyValueCache(spec: model.spec, capacity: tokens.count, precision: .exact)
            let scratch = Scratch(
                spec: model.spec, capacity: tokens.count, rows: chunk, logitRows: 0, compute: model.compute)
            for first in stride(from: 0, to: tokens.count, by: chunk) {
                let part = first..<min(first + chunk, tokens.count)
                Array(tokens[part]).withUnsafeBufferPointer {
                    sum.add(
                        model.transformer.states(
                            $0, types: types.map { Array($0[part]) }, texts: nil, length: tokens.count,
                            compute: model.compute, cache: cache, scratch: scratch), model.compute)
                }
            }
            let largest = expected.map(abs).max() ?? 0
            expectClose(sum.result, expected, within: { _ in 1e-5 * max(1, largest) }, "\(name), \(pooling), \(chunk)")
        }
    }

    @Test func tokensThatDoNotCountAreLeftOut() {
        let compute = Compute(precision: .exact, threads: 1, kernels: CPU.supported[0])
        let buffer = RowBuffer(capacity: 8)
        for (index, value) in [9, -9, 1, 2, 3, 4, 5, 6].enumerated() { buffer.base[index] = Float(value) }
        let rows = buffer.rows(4, width: 2)
        for cut in 0...4 {
            func pooled(_ pooling: Pooling) -> [Float] {
                var sum = PooledSum(pooling, width: 2, skipped: 1)
                sum.add(rows.slice(0..<cut), compute)
                sum.add(rows.slice(cut..<4), compute)
                return sum.result
            }
            #expect(pooled(.mean) == [3, 4] && pooled(.maximum) == [5, 6] && pooled(.first) == [1, 2])
            let expected: [Double] = [31.0 / 9, 40.0 / 9]  // with weights 2, 3 and 4
            expectClose(pooled(.weightedMean), expected, within: { _ in 1e-6 }, "weighted")
            #expect(pooled(.last) == [5, 6])
        }
    }

    /// A model that continues texts: the last token's state, with a note; what is asked for comes first.
    @Test func decodersGiveTheLastState() throws {
        let model = try Model(at: Fixtures.path("llama-default"), precision: .exact, threads: 1)
        let encoder = try Encoder(model)
        #expect(encoder.settings.source == .states([.last]) && encoder.settings.assumptions.count == 1)
        #expect(try Encoder(model, pooling: .mean).settings.assumptions.isEmpty)
        let text = "the cat"
        let vector = try #require(try encoder.embeddings(of: [text]).first)
        let framed = try model.tokenizer.encodeFramed(text, special: true)
        let states = statesByDecoder(framed.tokens, model).suffix(model.spec.width)
        let length = states.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        expectClose(vector, states.map { Double($0) / length }, within: { _ in 1e-6 }, "the last state")
        #expect(try Encoder(model, normalizes: false).embeddings(of: [text]) == [Array(states)])
    }

    @Test func longTextsAreCutAndSaidToBe() throws {
        let model = try Model(at: Fixtures.path("llama-default"), precision: .exact, threads: 1)
        let encoder = try Encoder(model, pooling: .mean)
        let long = String(repeating: "the cat sat ", count: encoder.tokenLimit)
        let result = try encoder.encode([long, "the cat", long + "x"])
        #expect(result.cutTexts == [0, 2])
        #expect(result.tokenCounts[0] == encoder.tokenLimit && result.tokenCounts[1] < encoder.tokenLimit)
        #expect(result.vectors[0] == result.vectors[2])
    }
}

/// all-MiniLM-L6-v2 against `sentence-transformers`.
@Suite("MiniLM's vectors")
struct SentenceEncoderTests {
    @Test(arguments: Precision.allCases) func areThoseOfTheReference(_ precision: Precision) throws {
        let path = Fixtures.folder + "/../../weights/all-MiniLM-L6-v2"
        try #require(FileSystem.kind(of: path) != nil, "run scripts/fetch_weights all-MiniLM-L6-v2")
        let encoder = try Encoder(Model(at: path, precision: precision))
        #expect(encoder.settings.source == .states([.mean]) && encoder.settings.normalizes)
        #expect(encoder.settings.assumptions.isEmpty && encoder.tokenLimit == 256 && encoder.width == 384)
        let reference = try Safetensors(path: Fixtures.path("minilm/sentences.safetensors"))
        var texts: [String] = []
        var expected: [[Float]] = []
        while let text = reference.metadata.first(where: { $0.key == "text.\(texts.count)" })?.value {
            expected.append(
                try #require(reference.index["sentence_embedding.\(texts.count)"]).joinedMatrix().floats())
            texts.append(text)
        }
        #expect(texts.count == 6)
        let result = try encoder.encode(texts)
        for (index, vector) in result.vectors.enumerated() {
            let tokens = try #require(reference.index["token_ids.\(index)"]).integers()
            #expect(result.tokenCounts[index] == tokens.count)
            let cosine = zip(vector, expected[index]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(cosine > 0.9999, "text \(index): \(cosine)")
            // Keys and values as halves and, with tiles, of bf16 are what `fast` is off by.
            let tolerance = precision == .exact ? 1e-6 : 2e-3
            expectClose(vector, expected[index].map(Double.init), within: { _ in tolerance }, "text \(index)")
        }
    }
}
