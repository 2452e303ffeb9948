import Testing
import TinyTensor
import TinyTestSupport

@testable import TinyLayers

@Suite("Probes")
struct ProbeTests {
    typealias Shown = (reading: Probe.Reading, values: [Float])

    /// What a probe is shown of the text, read `chunk` tokens at a time.
    private func shown(
        _ spec: ModelSpec, _ points: [Probe.Point], chunk: Int = .max, threads: Int = 1, phase: Phase = .prompt,
        logits: Transformer.LogitRows = .all
    ) throws -> (shown: [Shown], logits: [Float]) {
        let runner = try Runner(spec, threads: threads)
        var shown: [Shown] = []
        let probe = Probe(points) { reading, values in
            shown.append((reading, values.withUnsafeBufferPointer { Array($0) }))
        }
        var all: [Float] = []
        var rest = text[...]
        while !rest.isEmpty {
            let part = rest.prefix(chunk)
            rest = rest.dropFirst(part.count)
            all += part.withUnsafeBufferPointer {
                runner.transformer.forward(
                    $0, length: text.count, logits: logits, phase: phase, compute: runner.compute, cache: runner.cache,
                    scratch: runner.scratch, probe: probe
                ).values
            }
        }
        return (shown, all)
    }

    /// Grouped heads, windows, caps, biases by position, sinks, latent vectors, vectors in front of the text, both
    /// directions: the weights are those of loops in double precision, which sum to 1 with what a sink takes.
    @Test(arguments: ReferenceTests.specs.indices) func attention(_ index: Int) throws {
        let (name, spec) = ReferenceTests.specs[index]
        let layers = spec.layers.indices.filter { spec.layers[$0].hasAttention }
        let prefix = spec.prefix
        let all = prefix + text.count
        // [layer][head][token][seen]
        var expected = spec.layers.map { layer in
            Array(
                repeating: Array(repeating: [Double](repeating: 0, count: all), count: all),
                count: layer.attention.heads)
        }
        var reference = ReferenceModel(spec: spec)
        reference.onShares = { layer, head, token, seen, shares in
            for (place, other) in seen.enumerated() { expected[layer][head][token][other] = shares[place] }
        }
        _ = reference.logits(text)
        for chunk in spec.seesAhead ? [Int.max] : [.max, 5] {
            let (shown, _) = try shown(spec, layers.map { .attention($0 + 1) }, chunk: chunk)
            #expect(shown.count == layers.count * (chunk == .max ? 1 : 4))
            for (reading, values) in shown {
                guard case .attention(let layer) = reading.point else { continue }
                let attention = spec.layers[layer - 1].attention
                let (tokens, width) = (reading.positions.count, prefix + reading.positions.last! + 1)
                #expect(reading.shape == [attention.heads, tokens, width])
                let wanted = (0..<attention.heads).flatMap { head in
                    reading.positions.flatMap { expected[layer - 1][head][prefix + $0][..<width] }
                }
                expectClose(
                    values, wanted, within: { _ in ReferenceTests.tolerance }, "\(name), layer \(layer)")
                for row in 0..<attention.heads * tokens {
                    let sum = values[row * width..<(row + 1) * width].reduce(0, +)
                    #expect(attention.sinks ? sum > 0 && sum < 1 : abs(sum - 1) < 1e-5, "\(name), row \(row): \(sum)")
                }
            }
        }
    }

    /// To the bit, in prompts and steps, for all wirings and heads; and what is seen does not change what is computed.
    @Test(arguments: ReferenceTests.specs.indices) func lastLens(_ index: Int) throws {
        let (name, spec) = ReferenceTests.specs[index]
        let depth = spec.layers.count
        let points: [Probe.Point] = (0...depth).map { .lens($0) } + (0...depth).map { .stream($0) } + [.final]
        let (shown, logits) = try shown(spec, points)
        expectSameBits(try Runner(spec).read(text), logits, name)
        let last = try #require(shown.first { $0.reading.point == .lens(depth) })
        #expect(last.reading.shape == [text.count, spec.vocabulary] && last.reading.positions == Array(text.indices))
        expectSameBits(last.values, logits, name)
        let first = try #require(shown.first { $0.reading.point == .lens(0) })
        #expect(first.values != logits, "\(name): a lens that is no other")
        if spec.seesAhead { return }
        let (steps, stepLogits) = try self.shown(spec, [.lens(depth)], chunk: 1, phase: .decode, logits: .last)
        #expect(steps.flatMap(\.reading.positions) == Array(text.indices))
        expectSameBits(steps.flatMap(\.values), stepLogits, name)
    }

    /// Of the tokens that logits are wanted of, and no others.
    @Test func lensRows() throws {
        let (all, _) = try shown(.tiny(), [.lens(1)])
        let (last, _) = try shown(.tiny(), [.lens(1), .final], logits: .last)
        #expect(last.map(\.reading.positions) == [[text.count - 1], [text.count - 1]])
        expectSameBits(last[0].values, Array(all[0].values.suffix(50)))
        #expect(try shown(.tiny(), [.lens(1), .final], logits: .none).shown.isEmpty)
    }

    /// A layer that is a feed-forward network and nothing else: the stream changes by what the middle gives.
    @Test func hidden() throws {
        let spec = ModelSpec.tiny {
            $0.eachLayer {
                $0.wiring = .sequential(NormPlacement(before: ModelSpec.rms))
                $0.hasAttention = false
            }
        }
        let (shown, _) = try shown(spec, [.hidden(2), .stream(1), .stream(2)])
        func values(_ point: Probe.Point) throws -> [Float] {
            try #require(shown.first { $0.reading.point == point }).values
        }
        let (before, middle, after) = (try values(.stream(1)), try values(.hidden(2)), try values(.stream(2)))
        #expect(middle.count == text.count * 96)
        let down = RandomWeights().matrix(.layer(1, .network(.down), .weight), rows: 64, columns: 96).floats()
        let bias = RandomWeights().vector(.layer(1, .network(.down), .bias), count: 64)
        var expected: [Double] = []
        for t in text.indices {
            for i in 0..<64 {
                let sum = (0..<96).reduce(0.0) { $0 + Double(middle[t * 96 + $1]) * Double(down[i * 96 + $1]) }
                expected.append(Double(before[t * 64 + i]) + sum + Double(bias[i]))
            }
        }
        expectClose(after, expected, within: { _ in 1e-4 }, "the stream behind the network")
    }

    /// Each token by as many experts as are chosen, in the order of their numbers, and by the shared one.
    @Test func hiddenOfExperts() throws {
        let spec = ModelSpec.tiny { $0.eachLayer { $0.feedForward = .mixture(SpecFlipTests.mixture) } }
        let mixture = SpecFlipTests.mixture
        let (shown, _) = try shown(spec, [.hidden(1)])
        var tokens: [Int] = []
        for (reading, values) in shown {
            #expect(values.count == reading.positions.count * reading.shape[1])
            if case .number(let expert) = reading.expert {
                #expect((0..<mixture.experts).contains(expert) && reading.shape[1] == mixture.expert.hidden)
                tokens += reading.positions
            } else {
                #expect(reading.expert == .shared && reading.positions == Array(text.indices))
            }
        }
        #expect(shown.contains { $0.reading.expert == .shared } == (mixture.shared != nil))
        #expect(tokens.sorted() == text.indices.flatMap { Array(repeating: $0, count: mixture.chosen) })
    }

    /// Cut in parts, with more threads, with vectors in front: the same numbers at the same places of the text.
    @Test func parts() throws {
        let spec = ReferenceTests.specs.first { $0.spec.prefix > 0 }?.spec ?? .tiny()
        for spec in [ModelSpec.tiny(), spec.seesAhead ? .tiny() : spec] {
            let (whole, _) = try shown(spec, [.stream(1), .hidden(2)])
            let (parts, _) = try shown(spec, [.stream(1), .hidden(2)], chunk: 4, threads: 3)
            for (reading, values) in whole {
                let same = parts.filter { $0.reading.point == reading.point }
                #expect(same.flatMap(\.reading.positions) == reading.positions)
                expectSameBits(same.flatMap(\.values), values, "\(reading.point)")
            }
        }
    }

    @Test func pointsThatAreNotThere() {
        let cut = ModelSpec.tiny {
            ($0.layers[0].hasAttention, $0.layers[1].hasFeedForward) = (false, false)
            $0.head = nil
        }
        func reason(_ point: Probe.Point) -> String? { Probe([point]) { _, _ in }.problem(cut)?.reason }
        for point: Probe.Point in [.stream(3), .stream(-1), .attention(0), .attention(3), .hidden(.max), .lens(0)] {
            #expect(reason(point) != nil, "\(point)")
        }
        #expect(reason(.attention(1))?.contains("no attention") == true)
        #expect(reason(.hidden(2))?.contains("no feed-forward") == true)
        for point: Probe.Point in [.stream(0), .stream(2), .attention(2), .hidden(1), .final] {
            #expect(reason(point) == nil, "\(point)")
        }
    }
}
