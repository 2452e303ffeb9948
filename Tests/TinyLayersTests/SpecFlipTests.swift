import Foundation
import Testing
import TinyLayers

/// Whatever a spec says has to be heard: a field that no layer reads would be a silent lie about the model.
@Suite("Every field of a spec changes the output")
struct SpecFlipTests {
    /// Sizes are held to the tensors' shapes instead; `context` is a promise to the user, not arithmetic.
    static let sizes: Set<String> = [
        "vocabulary", "width", "context", "layers.*.attention.heads", "layers.*.attention.keyValueHeads",
        "layers.*.attention.headWidth", "layers.*.feedForward.dense._0.hidden",
        "layers.*.feedForward.mixture._0.expert.hidden", "layers.*.feedForward.mixture._0.shared.network.hidden",
        "layers.*.feedForward.mixture._0.experts", "stem.tokens._0.positions.learned.rows", "stem.tokens._0.types",
        "stem.tokens._0.tableWidth", "stem.tokens._0.prefix", "head.tableWidth",
        "layers.*.attention.headNorm.span", "layers.*.attention.projection.queriesOfPositions.rows",
        "layers.*.attention.projection.latent._0.queryRank", "layers.*.attention.projection.latent._0.keyValueRank",
        "layers.*.attention.projection.latent._0.turning", "layers.*.attention.projection.latent._0.valueWidth",
        "layers.*.attention.bias.buckets._0.rows",
    ]

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

    /// What is not looked at in a base, by design: divisors for texts of the other length.
    private static let inert = ["by length": "byLength.short", "by length, short": "byLength.long"]

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

    /// Every value in the encoded spec, the names of enum cases among them.
    @Test(arguments: bases.indices) func values(_ index: Int) throws {
        let (name, base) = Self.bases[index]
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(base))
        let expected = try logits(base)
        var seen: Set<String> = []
        for leaf in leaves(json, []) {
            let pattern = leaf.path.map { Int($0) == nil ? $0 : "*" }.joined(separator: ".")
            // Array elements (divisors) are told apart, layers are not: the first is enough.
            if Self.sizes.contains(pattern) || Self.inert[name].map(pattern.contains) == true
                || !seen.insert(
                    pattern.hasPrefix("layers") && leaf.path.last.flatMap({ Int($0) }) == nil
                        ? pattern : leaf.path.joined(separator: ".")
                ).inserted
            {
                continue
            }
            let others = alternatives(leaf.value, pattern).compactMap { value -> ModelSpec? in
                guard let data = try? JSONSerialization.data(withJSONObject: replacing(json, leaf.path[...], value))
                else { return nil }
                return try? JSONDecoder().decode(ModelSpec.self, from: data)
            }.filter { $0 != base }
            #expect(!others.isEmpty, "\(name): nothing to flip \(pattern) to; add it to alternatives or to sizes")
            for other in others {
                #expect(difference(try logits(other), expected) > 1e-6, "\(name): \(pattern) changes nothing")
            }
        }
        #expect(seen.count > 10)
    }

    /// What is nil is not encoded, so a new optional field would be missed above: the flips of those are below.
    @Test func optionals() throws {
        var found: Set<String> = []
        for (_, base) in Self.bases { nils(base, [], &found) }
        // A pooler is one output more, and no part of the way to logits.
        #expect(found.subtracting(Self.flips.compactMap(\.optional)) == ["pooler"])
        #expect(found.count >= 5)
    }

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

    @Test(arguments: flips.indices) func structure(_ index: Int) throws {
        let flip = Self.flips[index]
        #expect(flip.from != flip.to)
        #expect(difference(try logits(flip.to), try logits(flip.from)) > 1e-6, "\(flip.name) changes nothing")
    }

    /// No two scalings are the same, and no two activations: a case that fell through to another would pass above.
    @Test func casesDiffer() throws {
        let scalings = Self.bases.filter {
            [
                "plain", "linear", "by wavelength", "YaRN", "dynamic", "dynamic steps", "by length",
                "by length, short", "divisors",
            ].contains($0.name)
        }
        let activations = NetworkSpec.Activation.allCases
        let plain = activations.map { activation in
            ModelSpec.tiny {
                $0.eachLayer {
                    $0.network.activation = activation; $0.network.form = .plain
                }
            }
        }
        let gated = activations.map { activation in
            ModelSpec.tiny { $0.eachLayer { $0.network.activation = activation } }
        }
        for specs in [scalings.map(\.spec), plain + gated] {
            let all = try specs.map(logits)
            for i in all.indices { for j in 0..<i { #expect(difference(all[i], all[j]) > 1e-6, "\(i) and \(j)") } }
        }
    }

    /// Not run: a new case of an enum stops the compiler here, as a reminder to add it to `bases` and `alternatives`.
    func reminder(
        _ wiring: WiringSpec, _ norm: NormSpec, _ scaling: RotarySpec.Scaling, _ stem: TokenStemSpec.Positions
    ) {
        switch wiring {
        case .sequential, .parallel: break
        }
        switch norm {
        case .layer, .rms: break
        }
        switch scaling {
        case .none, .linear, .byWavelength, .yarn, .dynamic, .dynamicSteps, .perFrequency, .byLength: break
        }
        switch stem {
        case .none, .learned: break
        }
    }

    private func reminder(
        _ form: NetworkSpec.Form, _ reach: AttentionSpec.Reach, _ bias: PositionBias,
        _ projection: AttentionSpec.Projection, _ feedForward: FeedForwardSpec
    ) {
        switch form {
        case .plain, .gated, .clampedGate: break
        }
        switch reach {
        case .causal, .causalWindow, .everything: break
        }
        switch bias {
        case .none, .linear, .roundedLinear, .buckets: break
        }
        switch projection {
        case .direct, .queriesOfPositions, .latent: break
        }
        switch feedForward {
        case .dense, .mixture: break
        }
    }

    private func reminder(
        _ pairing: RotarySpec.Pairing, _ head: HeadSpec.Weight, _ scores: MixtureSpec.Scores,
        _ normalization: MixtureSpec.Normalization, _ span: HeadNormSpec.Span
    ) {
        switch pairing {
        case .halves, .neighbours: break
        }
        switch head {
        case .tied, .own: break
        }
        switch scores {
        case .softmax, .softmaxOfChosen, .sigmoid: break
        }
        switch normalization {
        case .none, .sum, .sumAtLeast: break
        }
        switch span {
        case .head, .allHeads: break
        }
    }

    // MARK: Encoded specs

    private func logits(_ spec: ModelSpec) throws -> [Float] { try Runner(spec).read(text) }

    func difference(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.max() ?? 0 }

    /// Values and empty objects, which stand for enum cases without a payload.
    func leaves(_ json: Any, _ path: [String]) -> [(path: [String], value: Any)] {
        if let object = json as? [String: Any], !object.isEmpty {
            return object.sorted { $0.key < $1.key }.flatMap { leaves($0.value, path + [$0.key]) }
        }
        if let array = json as? [Any] {
            return array.enumerated().flatMap { leaves($0.element, path + ["\($0.offset)"]) }
        }
        return [(path, json)]
    }

    func replacing(_ json: Any, _ path: ArraySlice<String>, _ value: Any) -> Any {
        guard let first = path.first else { return value }
        if var object = json as? [String: Any] {
            // An enum case without payload is replaced as a whole.
            if let other = value as? [String: Any], path.count == 1, (object[first] as? [String: Any])?.isEmpty == true
            {
                return other
            }
            object[first] = object[first].map { replacing($0, path.dropFirst(), value) }
            return object
        }
        guard var array = json as? [Any], let index = Int(first) else { return json }
        array[index] = replacing(array[index], path.dropFirst(), value)
        return array
    }

    func alternatives(_ value: Any, _ pattern: String) -> [Any] {
        switch pattern.split(separator: ".").suffix(2).joined(separator: ".") {
        case "rotary.width": return [max(2, (value as? Int ?? 0) / 4 * 2)]
        case "rotary.pairing": return ["halves", "neighbours"]
        case "form.plain", "form.gated", "form.clampedGate":
            return [
                ["plain": [String: Any]()], ["gated": [String: Any]()],
                ["clampedGate": ["limit": 0.3, "stretch": 0.8]],
            ]
        case "_0.activation", "network.activation", "expert.activation", "transform.activation":
            return NetworkSpec.Activation.allCases.map(\.rawValue)
        case "_0.scores": return ["softmax", "softmaxOfChosen", "sigmoid"]
        case "normalization.none": return [["sum": ["plus": 0.5]]]
        case "reach.everything": return [["causal": [String: Any]()]]
        case "projection.direct": return [["queriesOfPositions": ["rows": 64]]]
        case "bias.none": return [["linear": ["slopes": (1...64).map { 1 / Double($0) }]]]
        case "byLength.originalContext": return [(value as? Int ?? 0) > 17 ? 5 : 60]
        case "groups.count": return [2]
        case "groups.chosen": return [2]
        case "_0.chosen": return [1, 3]
        case "sumAtLeast._0": return [5]
        case "attention.growsBeyond": return [4]
        case "clampedGate.limit": return [0.1]
        case "_0.buckets": return [6]
        case "_0.distance": return [40]
        case "_0.textToPrefix", "_0.prefixToText": return [8, 10]
        case "head.weight": return ["tied", "own"]
        case "reach.causal": return [["causalWindow": ["tokens": 5]]]
        case "scaling.none": return [["linear": ["factor": 2]]]
        case "positions.none": return [["learned": ["rows": 64]]]
        default: break
        }
        if let number = value as? NSNumber {
            // A truth value decodes from true and false only, a whole number not from a fraction.
            let real = number.doubleValue
            return [real == 0, real * 1.5 + 0.25, (real * 1.5).rounded()]
        }
        return []
    }

    private func nils(_ value: Any, _ path: [String], _ found: inout Set<String>) {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            guard let inner = mirror.children.first else {
                found.insert(path.joined(separator: "."))
                return
            }
            return nils(inner.value, path, &found)
        }
        for child in mirror.children {
            nils(child.value, path + [mirror.displayStyle == .collection ? "*" : child.label ?? "*"], &found)
        }
    }
}
