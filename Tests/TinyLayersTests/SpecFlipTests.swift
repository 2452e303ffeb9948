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

    /// What is not looked at in a base, by design: divisors for texts of the other length.
    private static let inert = ["by length": "byLength.short", "by length, short": "byLength.long"]

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
}
