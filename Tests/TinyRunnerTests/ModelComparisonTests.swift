import Testing
import TinyLayers
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

@Suite("Comparison of two models")
struct ModelComparisonTests {
    private static let text = "The quick brown 狐狸 jumps over 13 lazy dogs; nobody knows why."

    @Test(arguments: ["llama-default", "gpt2-default"]) func itselfIsEqual(_ name: String) throws {
        let model = try openFixture(name, .fast)
        let result = try ModelComparison(of: model, with: model, on: Self.text, window: 10)
        #expect(result.isComplete && result.layers.count == model.spec.layers.count + 1)
        #expect(result.layers.allSatisfy { $0.relativeError == 0 && $0.maxAbsDiff == 0 })
        let logits = try #require(result.logits)
        #expect(logits.agreement == 1 && logits.maxDivergence < 1e-12 && logits.maxAbsDiff == 0)
        #expect(logits.firstBadRow == nil && logits.maxAbsReference > 0.1)
    }

    /// Every figure again, written out over logits and streams that a decoder shows for the whole text.
    @Test func asWrittenOut() throws {
        let model = try openFixture("llama-default/model.Q4_0.gguf", .exact)
        let original = try openFixture("llama-default", .exact)
        let tokens = try model.tokenizer.encode(Self.text)
        let (found, expected) = (try read(tokens, model), try read(tokens, original))
        let result = try ModelComparison(of: model, with: original, on: Self.text)
        #expect(result.tokens == tokens.count && result.layers.count == found.streams.count)
        for (layer, (x, y)) in zip(result.layers, zip(found.streams, expected.streams)) {
            let diffs = zip(x, y).map { Double($0) - Double($1) }
            let error = norm(diffs) / norm(y.map(Double.init))
            #expect(error > 0.01 && abs(layer.relativeError / error - 1) < 1e-6, "layer \(layer.layer)")
            #expect(abs(layer.maxAbsDiff - diffs.map(abs).max()!) < 1e-6)
        }
        let logits = try #require(result.logits)
        var (divergences, agreeing, losses) = ([Double](), 0, (0.0, 0.0))
        for (row, (q, p)) in zip(found.logits, expected.logits).enumerated() {
            let (q, p) = (probabilities(q), probabilities(p))
            divergences.append(zip(p, q).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) })
            if q.firstIndex(of: q.max()!) == p.firstIndex(of: p.max()!) { agreeing += 1 }
            if row + 1 < tokens.count {
                losses = (losses.0 - log(q[tokens[row + 1]]), losses.1 - log(p[tokens[row + 1]]))
            }
        }
        #expect(logits.rows == tokens.count && logits.agreeingRows == agreeing && agreeing < tokens.count)
        #expect(abs(logits.meanDivergence / (divergences.reduce(0, +) / Double(tokens.count)) - 1) < 1e-5)
        #expect(abs(logits.maxDivergence / divergences.max()! - 1) < 1e-5)
        let perplexities = try #require(logits.perplexities)
        #expect(abs(perplexities.model / exp(losses.0 / Double(tokens.count - 1)) - 1) < 1e-5)
        #expect(abs(perplexities.original / exp(losses.1 / Double(tokens.count - 1)) - 1) < 1e-5)
    }

    /// Windows one behind the other: every token is read once, and none sees those of the window before.
    @Test func windows() throws {
        let model = try openFixture("llama-default/model.Q4_0.gguf", .exact)
        let original = try openFixture("llama-default", .exact)
        let tokens = try model.tokenizer.encode(Self.text)
        let result = try ModelComparison(of: model, with: original, on: Self.text, window: 7)
        let rows = try stride(from: 0, to: tokens.count, by: 7).flatMap { start in
            try read(Array(tokens[start...].prefix(7)), model).logits.map { $0.firstIndex(of: $0.max()!) }
        }
        let others = try stride(from: 0, to: tokens.count, by: 7).flatMap { start in
            try read(Array(tokens[start...].prefix(7)), original).logits.map { $0.firstIndex(of: $0.max()!) }
        }
        #expect(result.logits?.rows == tokens.count && result.isComplete)
        #expect(result.logits?.agreeingRows == zip(rows, others).count { $0 == $1 })
        #expect(result.logits?.firstBadRow == zip(rows, others).enumerated().first { $1.0 != $1.1 }?.offset)
    }

    @Test func stopsWhereItIsTold() throws {
        let model = try openFixture("llama-default", .exact)
        var asked = 0
        let result = try ModelComparison(
            of: model, with: model, on: Self.text, window: 5,
            isCancelled: {
                asked += 1
                return asked > 3
            })
        #expect(result.tokens == 15 && !result.isComplete && result.logits?.rows == 15)
    }

    @Test func errors() throws {
        let model = try openFixture("llama-default", .exact)
        #expect(throws: RunnerError.noTokens) { try ModelComparison(of: model, with: model, on: "") }
        #expect(throws: RunnerError.self) { try ModelComparison(of: model, with: model, on: "a", window: 0) }
    }

    // MARK: The obvious way

    private func read(_ tokens: [Int], _ model: Model) throws -> (streams: [[Float]], logits: [[Float]]) {
        var streams = [[Float]](repeating: [], count: model.spec.layers.count + 1)
        var logits: [[Float]] = []
        var decoder = Decoder(model: model, capacity: tokens.count, allLogits: true)
        let points = streams.indices.map(Probe.Point.stream)
        try decoder.readAll(
            tokens,
            probe: Probe(points) { reading, values in
                if case .stream(let layer) = reading.point {
                    streams[layer] += values.withUnsafeBufferPointer { Array($0) }
                }
            },
            { _, rows in
                for row in 0..<rows.count {
                    logits.append(rows.withRow(row) { $0.withUnsafeBufferPointer { Array($0) } })
                }
            })
        return (streams, logits)
    }

    private func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    private func probabilities(_ logits: [Float]) -> [Double] {
        let weights = logits.map { exp(Double($0)) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }
}
