import TinyJSON
import TinyLayers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// A spec in GGUF's keys. Which of them a family's files have is up to its recipe: what that does not read is left out,
// and the spec that it makes of the rest must be the same.
extension ModelSpec {
    /// Where files of families differ in what a key counts.
    struct KeyVariant: Sendable {
        /// The hidden width is that of gate and up together.
        var doublesHidden = false
        /// Shared experts are one, as wide as all.
        var joinsShared = false

        static let all = [
            KeyVariant(), KeyVariant(joinsShared: true), KeyVariant(doublesHidden: true),
            KeyVariant(doublesHidden: true, joinsShared: true),
        ]
    }

    /// Keys without the architecture in front.
    func metadata(_ variant: KeyVariant) -> StatedValues {
        guard let first = layers.first else { return [:] }
        let attention = first.attention
        let dense = layers.lazy.compactMap { if case .dense(let network) = $0.feedForward { network } else { nil } }
            .first
        let mixture = layers.lazy.compactMap { if case .mixture(let mixture) = $0.feedForward { mixture } else { nil } }
            .first
        let hidden = dense?.hidden ?? mixture?.expert.hidden ?? 0
        var values: StatedValues = [
            "context_length": .integer(context), "embedding_length": .integer(width),
            "block_count": .integer(layers.count),
            "feed_forward_length": .integer(hidden * (variant.doublesHidden ? 2 : 1)),
            "attention.head_count": .integer(attention.heads),
            "attention.head_count_kv": .integer(attention.keyValueHeads),
            "vocab_size": .integer(vocabulary),
        ]
        switch (finalNorm, first.wiring) {
        case (.rms(let epsilon), _): values.append("attention.layer_norm_rms_epsilon", .number(Double(epsilon)))
        case (.layer(let epsilon, _), _): values.append("attention.layer_norm_epsilon", .number(Double(epsilon)))
        case (nil, .sequential(let placement, _)):
            if case .layer(let epsilon, _) = placement.onSum {
                values.append("attention.layer_norm_epsilon", .number(Double(epsilon)))
            }
        default: break
        }
        if attention.reach == .everything { values.append("attention.causal", .bool(false)) }
        if case .latent(let latent) = attention.projection {
            if let rank = latent.queryRank { values.append("attention.q_lora_rank", .integer(rank)) }
            values += [
                "attention.kv_lora_rank": .integer(latent.keyValueRank),
                "attention.value_length": .integer(latent.valueWidth),
            ]
        } else {
            values.append("attention.value_length", .integer(attention.headWidth))
        }
        values.append("attention.key_length", .integer(attention.headWidth))
        values += rotaryMetadata
        values += windowMetadata
        if let cap = attention.scoreCap { values.append("attn_logit_softcapping", .number(Double(cap))) }
        if let cap = head?.cap { values.append("final_logit_softcapping", .number(Double(cap))) }
        if let mixture { values += metadata(mixture, variant) }
        if case .parallel = first.wiring {
            values.append("use_parallel_residual", .bool(true))
        } else {
            values.append("use_parallel_residual", .bool(false))
        }
        if case .tokens(let stem) = stem { values.append("embedding_scale", .number(Double(stem.scale))) }
        values.append("residual_scale", .number(Double(first.branchScale)))
        if let head { values.append("logit_scale", .number(Double(1 / head.scale))) }
        return values
    }

    private var rotaryMetadata: StatedValues {
        var values: StatedValues = [:]
        let full = layers.first { if case .causalWindow = $0.attention.reach { false } else { true } } ?? layers.first
        if let rotary = full?.attention.rotary {
            values += [
                "rope.dimension_count": .integer(rotary.width), "rope.freq_base": .number(rotary.base),
            ]
            values += metadata(rotary.scaling)
        }
        let windowed = layers.first { if case .causalWindow = $0.attention.reach { true } else { false } }
        if let rotary = windowed?.attention.rotary, rotary != full?.attention.rotary {
            values += [
                "rope.dimension_count_swa": .integer(rotary.width), "rope.freq_base_swa": .number(rotary.base),
            ]
        }
        return values
    }

    private func metadata(_ scaling: RotarySpec.Scaling) -> StatedValues {
        switch scaling {
        case .linear(let factor):
            return ["rope.scaling.type": .string("linear"), "rope.scaling.factor": .number(factor)]
        case .yarn(let factor, let fast, let slow, let original, _, let magnitude):
            // Readers multiply by the usual magnitude themselves.
            let usual = factor <= 1 ? 1 : 0.1 * log(factor) + 1
            var values: StatedValues = [
                "rope.scaling.type": .string("yarn"), "rope.scaling.factor": .number(factor),
                "rope.scaling.original_context_length": .integer(original),
                "rope.scaling.yarn_beta_fast": .number(fast), "rope.scaling.yarn_beta_slow": .number(slow),
            ]
            if abs(magnitude - usual) > 1e-6 * usual {
                values.append("rope.scaling.attn_factor", .number(magnitude / usual))
            }
            return values
        case .byLength(_, _, let original, let magnitude):
            return [
                "rope.scaling.type": .string("longrope"),
                "rope.scaling.original_context_length": .integer(original),
                "rope.scaling.attn_factor": .number(magnitude),
            ]
        default: return [:]
        }
    }

    private var windowMetadata: StatedValues {
        let windows = layers.map { layer -> Int? in
            if case .causalWindow(let tokens) = layer.attention.reach { tokens } else { nil }
        }
        guard let window = windows.lazy.compactMap(\.self).first else { return [:] }
        return [
            "attention.sliding_window": .integer(window),
            "attention.sliding_window_pattern": .bools(windows.map { $0 != nil }),
        ]
    }

    private func metadata(_ mixture: MixtureSpec, _ variant: KeyVariant) -> StatedValues {
        var values: StatedValues = [
            "expert_count": .integer(mixture.experts), "expert_used_count": .integer(mixture.chosen),
            "expert_feed_forward_length": .integer(mixture.expert.hidden),
            "expert_weights_norm": .bool(mixture.normalization != .none),
            "expert_weights_scale": .number(Double(mixture.scale)),
            "expert_gating_func": .integer(mixture.scores == .sigmoid ? 2 : 1),
        ]
        if let shared = mixture.shared?.network.hidden {
            let isWhole = shared.isMultiple(of: mixture.expert.hidden) && !variant.joinsShared
            let count = isWhole ? shared / mixture.expert.hidden : 1
            values += [
                "expert_shared_count": .integer(count), "expert_shared_feed_forward_length": .integer(shared / count),
            ]
        } else {
            values.append("expert_shared_count", .integer(0))
        }
        if let groups = mixture.groups {
            values += [
                "expert_group_count": .integer(groups.count), "expert_group_used_count": .integer(groups.chosen),
            ]
        }
        let sparse = layers.indices.filter { if case .mixture = layers[$0].feedForward { true } else { false } }
        values.append("leading_dense_block_count", .integer(sparse.first ?? 0))
        if sparse.count > 1 { values.append("interleave_moe_layer_step", .integer(sparse[1] - sparse[0])) }
        return values
    }
}

extension ModelSpec {
    /// The spec that a GGUF file can tell, and what it leaves out.
    ///
    /// - Parameter knowsLongTexts: whether the file says what becomes of texts longer than those of training.
    var inGGUF: (spec: ModelSpec, left: [String]) {
        var (spec, left): (ModelSpec, [String]) = (self, [])
        if pooler != nil {
            spec.pooler = nil
            left.append("GGUF has no place for the pooler, which is left out")
        }
        var forgets = false
        for layer in layers.indices {
            if spec.layers[layer].attention.growsBeyond != nil {
                spec.layers[layer].attention.growsBeyond = nil
                forgets = true
            }
            switch spec.layers[layer].attention.rotary?.scaling {
            case .dynamicSteps:
                spec.layers[layer].attention.rotary?.scaling = .none
                forgets = true
            case .byWavelength:
                guard let rotary = spec.layers[layer].attention.rotary else { break }
                spec.layers[layer].attention.rotary?.scaling = .perFrequency(divisors: rotary.divisors, magnitude: 1)
            default: break
            }
        }
        if forgets {
            left.append("GGUF does not say what this model does with texts longer than those of its training")
        }
        return (spec, left)
    }

    /// Whether a GGUF file of this spec would be read as the other, but for the last digits of what rotations are divided by.
    func isSame(as other: ModelSpec) -> Bool {
        var spec = inGGUF.spec
        for (layer, theirs) in zip(spec.layers.indices, other.layers) {
            guard case .perFrequency(let a, 1) = spec.layers[layer].attention.rotary?.scaling,
                case .perFrequency(let b, 1) = theirs.attention.rotary?.scaling, a.count == b.count,
                zip(a, b).allSatisfy({ abs($0 - $1) <= 1e-5 * $1 })
            else { continue }
            spec.layers[layer].attention.rotary?.scaling = .perFrequency(divisors: b, magnitude: 1)
        }
        return spec == other
    }

    /// Vectors that GGUF has for rotations, as tensors.
    var rotaryTensors: [(name: String, values: [Float])] {
        switch layers.lazy.compactMap(\.attention.rotary).first?.scaling {
        case .perFrequency(let divisors, 1): [("rope_freqs.weight", divisors)]
        case .byLength(let short, let long, _, _):
            [("rope_factors_long.weight", long), ("rope_factors_short.weight", short)]
        default: []
        }
    }
}

extension RotarySpec {
    /// What a scaling by wavelength divides each frequency by.
    var divisors: [Float] {
        guard case .byWavelength(let factor, let low, let high, let original) = scaling else { return [] }
        return (0..<width / 2).map { i in
            let plain = pow(base, -2 * Double(i) / Double(width))
            let waves = Double(original) * plain / (2 * .pi)
            let kept = min(1, max(0, (waves - low) / (high - low)))
            return Float(1 / (kept + (1 - kept) / factor))
        }
    }
}
