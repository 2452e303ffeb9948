import TinyLayers

/// What is flipped.
extension SpecFlipTests {
    /// Specs that between them have every case of every enum.
    static let bases: [(name: String, spec: ModelSpec)] = {
        let layer = NormSpec.layer(epsilon: 0.01, bias: true)
        func scaled(_ scaling: RotarySpec.Scaling) -> ModelSpec {
            .tiny { $0.eachLayer { $0.attention.rotary?.scaling = scaling } }
        }
        return [
            ("plain", .tiny()),
            (
                "LayerNorms, learned positions, no rotation, a window",
                .tiny {
                    $0.tokenStem.positions = .learned(rows: 64)
                    $0.finalNorm = layer
                    $0.head?.weight = .tied
                    $0.eachLayer {
                        $0.wiring = .sequential(
                            attention: NormPlacement(before: layer), feedForward: NormPlacement(before: layer))
                        $0.attention.rotary = nil
                        $0.attention.reach = .causalWindow(tokens: 4)
                        $0.network.form = .plain
                    }
                }
            ),
            (
                "norms everywhere",
                .tiny {
                    $0.eachLayer {
                        let all = NormPlacement(
                            onStream: layer, before: ModelSpec.rms, after: layer, onSum: ModelSpec.rms)
                        $0.wiring = .sequential(attention: all, feedForward: all)
                    }
                }
            ),
            (
                "parallel",
                .tiny { $0.eachLayer { $0.wiring = .parallel(attention: ModelSpec.rms, feedForward: layer) } }
            ),
            ("linear", scaled(.linear(factor: 3))),
            ("by wavelength", scaled(.byWavelength(factor: 4, lowFactor: 0.5, highFactor: 4, originalContext: 64))),
            (
                "YaRN",
                scaled(
                    .yarn(
                        factor: 4, fastRotations: 4, slowRotations: 1, originalContext: 64, rounds: true, magnitude: 1.2
                    ))
            ),
            ("dynamic", scaled(.dynamic(factor: 2, originalContext: 8))),
            ("dynamic steps", scaled(.dynamicSteps(originalContext: 6))),
            (
                "by length",
                scaled(
                    .byLength(
                        short: [Float](repeating: 3, count: 8), long: (1...8).map { Float($0) }, originalContext: 10,
                        magnitude: 1.2))
            ),
            (
                "by length, short",
                scaled(
                    .byLength(
                        short: (1...8).map { Float($0) + 0.5 }, long: (1...8).map { Float($0) }, originalContext: 60,
                        magnitude: 1.2))
            ),
            ("divisors", scaled(.perFrequency(divisors: (1...8).map { Float($0) }, magnitude: 1.1))),
        ] + axes
    }()

    static let axisNames = Set(axes.map(\.name))

    /// Axes that few families have.
    private static let axes: [(name: String, spec: ModelSpec)] = [
        (
            "scores",
            .tiny {
                $0.eachLayer {
                    $0.attention.headNorm = HeadNormSpec(
                        norm: .layer(epsilon: 0.01, bias: true), span: .head, afterRotation: false)
                    ($0.attention.growsBeyond, $0.attention.scoreCap) = (5, 2)
                    ($0.attention.sinks, $0.attention.headGate) = (true, true)
                    ($0.branchScale, $0.sumScale) = (0.7, 0.9)
                    $0.network.form = .clampedGate(limit: 0.3, stretch: 0.8)
                    $0.network.activation = .geluQuick
                }
            }
        ),
        (
            "slopes, all heads normed, both directions",
            .tiny {
                $0.eachLayer {
                    $0.attention.headNorm = HeadNormSpec(norm: ModelSpec.rms, span: .allHeads, afterRotation: true)
                    $0.attention.bias = .linear(slopes: [0.5, 0.25, 0.125, 0.0625])
                    $0.attention.reach = .everything
                }
            }
        ),
        (
            "rounded slopes",
            .tiny {
                $0.eachLayer { $0.attention.bias = .roundedLinear(slopes: [0.5, 0.25, 0.1, 0.0625], factor: 0.3) }
            }
        ),
        (
            "buckets and a prefix",
            .tiny {
                $0.tokenStem.prefix = 3
                $0.eachLayer {
                    $0.attention.rotary = nil
                    $0.attention.reach = .everything
                    $0.attention.bias = .buckets(
                        BucketSpec(buckets: 8, distance: 12, rows: 12, textToPrefix: 9, prefixToText: 11))
                }
            }
        ),
        (
            "latent",
            .tiny {
                $0.eachLayer {
                    $0.attention.keyValueHeads = 4
                    $0.attention.rotary?.width = 6
                    $0.attention.projection = .latent(
                        LatentSpec(queryRank: 20, keyValueRank: 24, turning: 6, valueWidth: 12, epsilon: 0.01))
                }
            }
        ),
        (
            "latent, wide queries",
            .tiny {
                $0.eachLayer {
                    $0.attention.keyValueHeads = 4
                    $0.attention.rotary?.width = 6
                    $0.attention.projection = .latent(
                        LatentSpec(queryRank: nil, keyValueRank: 24, turning: 6, valueWidth: 12, epsilon: 0.01))
                }
            }
        ),
        (
            "queries of positions",
            .tiny { $0.layers[1].attention.projection = .queriesOfPositions(rows: 64) }
        ),
        ("a mixture", .tiny { $0.eachLayer { $0.feedForward = .mixture(mixture) } }),
        (
            "groups, sigmoids",
            .tiny {
                $0.eachLayer {
                    var spec = mixture
                    (spec.scores, spec.normalization, spec.routerBias) = (.sigmoid, .sum(plus: 0.3), true)
                    spec.groups = MixtureSpec.Groups(count: 3, chosen: 1)
                    spec.shared = nil
                    $0.feedForward = .mixture(spec)
                }
            }
        ),
        (
            "stem and head",
            .tiny {
                $0.stem = .tokens(
                    TokenStemSpec(
                        positions: .learned(rows: 64), scale: 3, types: 2, tableWidth: 40,
                        norm: .layer(epsilon: 0.01, bias: true)))
                $0.head = HeadSpec(
                    weight: .tied, bias: true, scale: 0.5, cap: 2, unitRows: true,
                    transform: HeadSpec.Transform(activation: .gelu, norm: ModelSpec.rms), tableWidth: 40)
            }
        ),
    ]

    static let mixture = MixtureSpec(
        experts: 6, chosen: 2, expert: NetworkSpec(form: .gated, hidden: 32, activation: .silu, bias: false),
        scores: .softmax, normalization: .sumAtLeast(2), scale: 1.5, routerBias: false, choiceBias: true,
        shared: MixtureSpec.Shared(
            network: NetworkSpec(form: .plain, hidden: 40, activation: .gelu, bias: false), isGated: true))

    /// Changes of structure, each against what it is a change of.
    static let flips: [(name: String, optional: String?, from: ModelSpec, to: ModelSpec)] = {
        let layer = NormSpec.layer(epsilon: 0.01, bias: true)
        let plain = ModelSpec.tiny()
        let mixed = ModelSpec.tiny { $0.eachLayer { $0.feedForward = .mixture(mixture) } }
        func wired(_ attention: NormPlacement, _ feedForward: NormPlacement) -> ModelSpec {
            .tiny { $0.eachLayer { $0.wiring = .sequential(attention: attention, feedForward: feedForward) } }
        }
        func parallel(_ first: NormSpec, _ second: NormSpec?) -> ModelSpec {
            .tiny { $0.eachLayer { $0.wiring = .parallel(attention: first, feedForward: second) } }
        }
        let rms = ModelSpec.rms
        let before = NormPlacement(before: rms)
        let path = "layers.*.wiring.sequential."
        func latent(queryRank: Int?) -> ModelSpec {
            .tiny {
                $0.eachLayer {
                    $0.attention.keyValueHeads = 4
                    $0.attention.rotary?.width = 6
                    $0.attention.projection = .latent(
                        LatentSpec(queryRank: queryRank, keyValueRank: 24, turning: 6, valueWidth: 12, epsilon: 0.01))
                }
            }
        }
        return [
            (
                "no norm before attention", path + "attention.before", wired(before, before),
                wired(NormPlacement(), before)
            ),
            (
                "on attention's stream", path + "attention.onStream", plain,
                wired(NormPlacement(onStream: layer, before: rms), before)
            ),
            (
                "on feed-forward's stream", path + "feedForward.onStream", plain,
                wired(before, NormPlacement(onStream: layer, before: rms))
            ),
            (
                "on the stream, not before", nil, wired(before, NormPlacement(before: rms)),
                wired(before, NormPlacement(onStream: rms))
            ),
            ("after attention", path + "attention.after", plain, wired(NormPlacement(before: rms, after: rms), before)),
            (
                "on attention's sum", path + "attention.onSum", plain,
                wired(NormPlacement(before: rms, onSum: rms), before)
            ),
            ("no norm before feed-forward", path + "feedForward.before", plain, wired(before, NormPlacement())),
            (
                "after feed-forward", path + "feedForward.after", plain,
                wired(before, NormPlacement(before: rms, after: rms))
            ),
            (
                "on feed-forward's sum", path + "feedForward.onSum", plain,
                wired(before, NormPlacement(before: rms, onSum: rms))
            ),
            (
                "after, not on the sum", nil, wired(NormPlacement(after: rms), before),
                wired(NormPlacement(onSum: rms), before)
            ),
            ("parallel", nil, plain, parallel(rms, rms)),
            ("one norm for both", nil, parallel(rms, rms), parallel(rms, nil)),
            ("the second of two norms", nil, parallel(rms, rms), parallel(rms, layer)),
            ("the kind of norm", nil, plain, wired(NormPlacement(before: layer), before)),
            ("no final norm", nil, plain, plain.changed { $0.finalNorm = nil }),
            (
                "no rotation", "layers.*.attention.rotary", plain,
                plain.changed { $0.eachLayer { $0.attention.rotary = nil } }
            ),
            ("learned positions", nil, plain, plain.changed { $0.tokenStem.positions = .learned(rows: 64) }),
            (
                "a window", nil, plain,
                plain.changed { $0.eachLayer { $0.attention.reach = .causalWindow(tokens: 3) } }
            ),
            (
                "only the last layer", nil, plain,
                plain.changed { $0.layers[1].attention.reach = .causalWindow(tokens: 3) }
            ),
            ("a layer less", nil, plain, plain.changed { $0.layers.removeLast() }),
            (
                "norms of heads", "layers.*.attention.headNorm", plain,
                plain.changed {
                    $0.eachLayer {
                        $0.attention.headNorm = HeadNormSpec(norm: rms, span: .head, afterRotation: false)
                    }
                }
            ),
            (
                "growing queries", "layers.*.attention.growsBeyond", plain,
                plain.changed { $0.eachLayer { $0.attention.growsBeyond = 4 } }
            ),
            (
                "capped scores", "layers.*.attention.scoreCap", plain,
                plain.changed { $0.eachLayer { $0.attention.scoreCap = 1 } }
            ),
            ("capped logits", "head.cap", plain, plain.changed { $0.head?.cap = 1 }),
            (
                "a transform", "head.transform", plain,
                plain.changed { $0.head?.transform = HeadSpec.Transform(activation: .gelu, norm: rms) }
            ),
            ("a narrow head", "head.tableWidth", plain, plain.changed { $0.head?.tableWidth = 40 }),
            ("a narrow table", "stem.tokens.tableWidth", plain, plain.changed { $0.tokenStem.tableWidth = 40 }),
            ("a norm of the stem", "stem.tokens.norm", plain, plain.changed { $0.tokenStem.norm = rms }),
            ("kinds of tokens", nil, plain, plain.changed { $0.tokenStem.types = 2 }),
            ("a prefix", nil, plain, plain.changed { $0.tokenStem.prefix = 2 }),
            (
                "narrow queries", "layers.*.attention.projection.latent.queryRank", latent(queryRank: nil),
                latent(queryRank: 20)
            ),
            (
                "groups", "layers.*.feedForward.mixture.groups", mixed,
                mixed.changed {
                    $0.eachLayer {
                        var spec = mixture
                        spec.groups = MixtureSpec.Groups(count: 3, chosen: 1)
                        $0.feedForward = .mixture(spec)
                    }
                }
            ),
            (
                "no shared network", "layers.*.feedForward.mixture.shared", mixed,
                mixed.changed {
                    $0.eachLayer {
                        var spec = mixture
                        spec.shared = nil
                        $0.feedForward = .mixture(spec)
                    }
                }
            ),
        ].map { ($0.0, $0.1, $0.2, $0.3) }
    }()
}
