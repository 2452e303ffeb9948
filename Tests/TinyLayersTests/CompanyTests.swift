import Testing
import TinyLayers
import TinyTensor
import TinyTestSupport

/// How a model is run: every instruction set, both precisions, float and quantized weights.
struct RunMode: Sendable, CustomTestStringConvertible {
    let kernels: CPU.Kernels
    let precision: Precision
    let isQuantized: Bool

    static let all: [RunMode] = CPU.supported.flatMap { kernels in
        [
            RunMode(kernels: kernels, precision: .exact, isQuantized: false),
            RunMode(kernels: kernels, precision: .exact, isQuantized: true),
            RunMode(kernels: kernels, precision: .fast, isQuantized: true),
        ]
    }

    var testDescription: String { "\(kernels.name), \(precision), \(isQuantized ? "Q8_0" : "F32")" }

    func runner(_ spec: ModelSpec, threads: Int = 1) throws -> Runner {
        try Runner(
            spec, weights: RandomWeights(isQuantized: isQuantized), precision: precision, threads: threads,
            kernels: kernels)
    }
}

/// Design, section 4: one token's numbers never depend on how the text was cut, or on who computed them.
@Suite("Numbers do not depend on company")
struct CompanyTests {
    static let specs: [ModelSpec] = [
        .tiny(),
        .tiny {
            $0.tokenStem.positions = .learned(rows: 48)
            $0.eachLayer {
                $0.attention.rotary = nil
                $0.attention.reach = .causalWindow(tokens: 5)  // shorter than the text
                $0.wiring = .parallel(attention: .layer(epsilon: 0.01, bias: true), feedForward: nil)
            }
        },
        .tiny { $0.eachLayer { $0.attention.rotary?.scaling = .dynamic(factor: 2, originalContext: 8) } },
        .tiny {
            $0.eachLayer {
                $0.feedForward = .mixture(SpecFlipTests.mixture)
                ($0.attention.scoreCap, $0.attention.sinks) = (2, true)
                $0.attention.bias = .linear(slopes: [0.5, 0.25, 0.125, 0.0625])
            }
        },
        // Vectors in front of the text, which it is read behind however it is cut.
        .tiny {
            $0.tokenStem.prefix = 3
            $0.tokenStem.positions = .learned(rows: 48)
            $0.eachLayer {
                $0.attention.rotary?.scaling = .dynamic(factor: 2, originalContext: 8)
                $0.attention.bias = .buckets(
                    BucketSpec(buckets: 8, distance: 12, rows: 12, textToPrefix: 9, prefixToText: 11))
            }
        },
    ]

    @Test(arguments: RunMode.all, specs.indices) func chunks(_ mode: RunMode, _ index: Int) throws {
        let whole = try mode.runner(Self.specs[index]).read(text)
        for chunk in [1, 2, 3, 5, 8, 16] {
            expectSameBits(try mode.runner(Self.specs[index]).read(text, chunk: chunk), whole, "chunks of \(chunk)")
        }
    }

    /// A prompt and decoding use the same order of sums wherever the same kernels do both. `plain` gives prompts to BLAS,
    /// and its sums are in double otherwise; tiles round to bf16, and vectors round wider models coarsely. With AVX-512
    /// attention over a prompt has a kernel of its own, whose sums on floats have another order.
    @Test(arguments: RunMode.all, [0, 1, 3]) func stepByStep(_ mode: RunMode, _ index: Int) throws {
        let whole = try mode.runner(Self.specs[index]).read(text)
        let steps = try mode.runner(Self.specs[index]).read(text, chunk: 1, phase: .decode)
        if mode.kernels.name == "amx" && mode.precision == .fast {
            let largest = Double(whole.map(abs).max() ?? 0)
            expectClose(steps, whole.map(Double.init), within: { _ in 1e-2 * largest })
        } else if mode.kernels.name == "plain" {
            // BLAS takes activations as they are; decoding rounds them to 15 bits, half a step of which is 3e-5.
            let (largest, share) = (Double(whole.map(abs).max() ?? 0), mode.precision == .fast ? 1e-4 : 1e-5)
            expectClose(steps, whole.map(Double.init), within: { _ in share * largest })
        } else if mode.kernels.name == "avx512vnni" && mode.precision == .fast {
            // A last bit can move an activation's code by one of 15 bits.
            let largest = Double(whole.map(abs).max() ?? 0)
            expectClose(steps, whole.map(Double.init), within: { _ in 1e-4 * largest })
        } else {
            expectSameBits(steps, whole)
        }
    }

    @Test(arguments: RunMode.all, specs.indices) func replay(_ mode: RunMode, _ index: Int) throws {
        let runner = try mode.runner(Self.specs[index])
        let width = Self.specs[index].vocabulary
        let whole = runner.read(text)
        for kept in [0, 1, 6, text.count - 1] {
            _ = runner.read([1, 2, 3])  // what is forgotten must leave no trace
            runner.truncate(to: kept)
            expectSameBits(runner.read(Array(text[kept...])), Array(whole[(kept * width)...]), "kept \(kept)")
        }
    }

    @Test(arguments: RunMode.all, specs.indices) func threads(_ mode: RunMode, _ index: Int) throws {
        let one = try mode.runner(Self.specs[index])
        let prompt = one.read(text)
        let steps = one.read(text, chunk: 1, phase: .decode)
        for threads in [2, 3] {
            let runner = try mode.runner(Self.specs[index], threads: threads)
            expectSameBits(runner.read(text), prompt, "\(threads) threads, a prompt")
            expectSameBits(runner.read(text, chunk: 1, phase: .decode), steps, "\(threads) threads, decoding")
        }
    }

    /// Logits for the last token only, or for none, are what all of them would have been.
    @Test(arguments: RunMode.all) func fewerLogits(_ mode: RunMode) throws {
        let runner = try mode.runner(Self.specs[0])
        let all = runner.read(text)
        runner.truncate(to: 0)
        expectSameBits(runner.read(text, logits: .last), Array(all.suffix(Self.specs[0].vocabulary)))
        runner.truncate(to: 0)
        #expect(runner.read(text, logits: .none) == [])
        #expect(runner.cache.count == text.count)
    }

    /// A window no shorter than the text is no window.
    @Test func wideWindow() throws {
        let wide = ModelSpec.tiny { $0.eachLayer { $0.attention.reach = .causalWindow(tokens: text.count) } }
        expectSameBits(try Runner(wide).read(text), try Runner(.tiny()).read(text))
    }

    /// Probes see the stream after every layer, and the final state once, in order.
    @Test func probes() throws {
        let runner = try Runner(.tiny())
        var points: [Probe.Point] = []
        _ = text.withUnsafeBufferPointer {
            runner.transformer.forward(
                $0, length: text.count, logits: .all, phase: .prompt, compute: runner.compute, cache: runner.cache,
                scratch: runner.scratch,
                probe: Probe([.stream(0), .stream(1), .stream(2), .final]) { reading, values in
                    points.append(reading.point)
                    #expect(reading.shape == [text.count, 64] && values.count == text.count * 64)
                    #expect(reading.positions == Array(text.indices))
                })
        }
        #expect(points == [.stream(0), .stream(1), .stream(2), .final])
    }

    @Test func cacheSize() {
        let spec = ModelSpec.tiny()
        #expect(KeyValueCache.byteCount(spec: spec, capacity: 10, precision: .exact) == 2 * 2 * 2 * 16 * 10 * 4)
        #expect(KeyValueCache.byteCount(spec: spec, capacity: 10, precision: .fast) == 2 * 2 * 2 * 16 * 10 * 2)
    }
}
