import Testing
import TinyLayers
import TinyTensor
import TinyTestSupport

@Suite("The block against loops in double precision")
struct ReferenceTests {
    static let specs: [(name: String, spec: ModelSpec)] = {
        let rms = ModelSpec.rms
        let layer = NormSpec.layer(epsilon: 0.01, bias: true)
        let bare = NormSpec.layer(epsilon: 0.02, bias: false)
        func wired(_ wiring: WiringSpec, _ change: (inout LayerSpec) -> Void = { _ in }) -> ModelSpec {
            .tiny {
                $0.eachLayer {
                    $0.wiring = wiring
                    change(&$0)
                }
            }
        }
        func both(_ placement: NormPlacement) -> WiringSpec {
            .sequential(attention: placement, feedForward: placement)
        }
        return [
            ("before", wired(both(NormPlacement(before: rms)))),
            ("after", wired(both(NormPlacement(after: rms)))),
            ("on the sum", wired(both(NormPlacement(onSum: layer))) { $0.network.form = .plain }),
            ("before and after", wired(both(NormPlacement(before: rms, after: layer)))),
            ("on the stream", wired(both(NormPlacement(onStream: layer)))),
            ("everywhere", wired(both(NormPlacement(onStream: rms, before: bare, after: rms, onSum: layer)))),
            ("nowhere", wired(both(NormPlacement()))),
            (
                "one branch each",
                wired(.sequential(attention: NormPlacement(before: layer), feedForward: NormPlacement(onSum: rms)))
            ),
            ("parallel, one norm", wired(.parallel(attention: layer, feedForward: nil))),
            ("parallel, two norms", wired(.parallel(attention: rms, feedForward: bare))),
            ("silu, plain", wired(both(NormPlacement(before: rms))) { $0.network.form = .plain }),
            ("gelu, gated", wired(both(NormPlacement(before: rms))) { $0.network.activation = .gelu }),
            (
                "geluTanh, plain",
                wired(both(NormPlacement(before: rms))) {
                    $0.network.form = .plain
                    $0.network.activation = .geluTanh
                }
            ),
            ("relu", wired(both(NormPlacement(before: rms))) { $0.network.activation = .relu }),
            (
                "no biases",
                wired(both(NormPlacement(before: rms))) {
                    ($0.attention.inputBias, $0.attention.outputBias, $0.network.bias) = (false, false, false)
                }
            ),
            ("a window", wired(both(NormPlacement(before: rms))) { $0.attention.reach = .causalWindow(tokens: 5) }),
            (
                "a window of one",
                wired(both(NormPlacement(before: rms))) { $0.attention.reach = .causalWindow(tokens: 1) }
            ),
            ("neighbours", wired(both(NormPlacement(before: rms))) { $0.attention.rotary?.pairing = .neighbours }),
            (
                "part of a head turns",
                wired(both(NormPlacement(before: rms))) { $0.attention.rotary?.width = 6 }
            ),
            (
                "part of a head, neighbours",
                wired(both(NormPlacement(before: rms))) {
                    $0.attention.rotary?.width = 10
                    $0.attention.rotary?.pairing = .neighbours
                }
            ),
            ("one key head", wired(both(NormPlacement(before: rms))) { $0.attention.keyValueHeads = 1 }),
            ("all key heads", wired(both(NormPlacement(before: rms))) { $0.attention.keyValueHeads = 4 }),
            (
                "learned positions, tied, no final norm",
                .tiny {
                    $0.tokenStem.positions = .learned(rows: 20)
                    $0.head?.weight = .tied
                    $0.finalNorm = nil
                    $0.eachLayer { $0.attention.rotary = nil }
                }
            ),
            (
                "layers that differ",
                .tiny {
                    $0.layers[0].attention.reach = .causalWindow(tokens: 3)
                    $0.layers[0].attention.rotary?.base = 1000
                    $0.layers[1].wiring = .parallel(attention: layer, feedForward: nil)
                    $0.layers[1].attention.heads = 2
                    $0.layers[1].attention.headWidth = 24
                    $0.layers[1].attention.rotary?.width = 24
                    $0.layers[1].network.hidden = 40
                }
            ),
            (
                "a branch cut out of each layer",
                .tiny {
                    ($0.layers[0].hasAttention, $0.layers[1].hasFeedForward) = (false, false)
                    $0.eachLayer { $0.sumScale = 0.9 }
                }
            ),
            (
                "odd sizes",
                .tiny { spec in
                    spec.vocabulary = 51
                    spec.width = 37
                    spec.eachLayer {
                        $0.attention.headWidth = 10
                        $0.attention.rotary?.width = 10
                        $0.network.hidden = 53
                    }
                }
            ),
        ] + SpecFlipTests.bases.filter { SpecFlipTests.axisNames.contains($0.name) } + [
            (
                "a slope for each head",
                wired(both(NormPlacement(before: rms))) {
                    $0.attention.bias = .linear(slopes: [0.5, 0.25, 0.125, 0.06])
                }
            ),
            (
                "softmax of the chosen, one expert of all",
                wired(both(NormPlacement(before: rms))) {
                    var mixture = SpecFlipTests.mixture
                    (mixture.scores, mixture.chosen, mixture.normalization) = (.softmaxOfChosen, 3, .none)
                    $0.feedForward = .mixture(mixture)
                }
            ),
        ]
    }()

    /// Sums of some hundred products in single precision, two layers deep: errors of a few times 2⁻²⁴ · √100 a sum.
    static let tolerance = 1e-5

    /// Beyond 256 keys, their numbers have more digits than the rounded slopes leave them.
    @Test func roundedPositions() throws {
        let spec = ModelSpec.tiny {
            $0.layers.removeLast()
            $0.layers[0].attention.bias = .roundedLinear(slopes: [0.5, 0.25, 0.1, 0.0625], factor: 0.3)
        }
        let long = (0..<264).map { $0 * 7 % spec.vocabulary }
        let expected = ReferenceModel(spec: spec).logits(long).flatMap(\.self)
        let largest = expected.map(abs).max() ?? 0
        let actual = try Runner(spec, capacity: long.count).read(long)
        expectClose(actual, expected, within: { _ in Self.tolerance * largest }, "rounded positions")
    }

    @Test(arguments: specs.indices) func agrees(_ index: Int) throws {
        let (name, spec) = Self.specs[index]
        let expected = ReferenceModel(spec: spec).logits(text).flatMap(\.self)
        let largest = expected.map(abs).max() ?? 0
        for kernels in CPU.supported {
            let runner = try Runner(spec, kernels: kernels)
            expectClose(
                runner.read(text), expected, within: { _ in Self.tolerance * largest },
                "\(name), \(kernels.name), a prompt")
            if spec.seesAhead { continue }  // one token at a time sees less
            runner.truncate(to: 0)
            expectClose(
                runner.read(text, chunk: 1, phase: .decode), expected, within: { _ in Self.tolerance * largest },
                "\(name), \(kernels.name), decoding")
        }
    }
}
