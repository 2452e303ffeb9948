import TinyJSON
import TinyLayers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// A spec in the keys of `config.json`, for GGUF files that keep no folder's. As with GGUF's keys, what a family's recipe
// does not read is left out, and the spec it makes of the rest must be the same.
extension ModelSpec {
    /// - Parameter variant: where families differ in what a key counts.
    func config(modelType: String, _ variant: KeyVariant) -> StatedValues {
        guard let first = layers.first else { return [:] }
        let attention = first.attention
        let dense = layers.lazy.compactMap { if case .dense(let network) = $0.feedForward { network } else { nil } }
            .first
        let mixture = layers.lazy.compactMap { if case .mixture(let mixture) = $0.feedForward { mixture } else { nil } }
            .first
        let network = dense ?? mixture?.expert
        var values: StatedValues = [
            "model_type": .string(modelType), "vocab_size": .integer(vocabulary),
            "hidden_size": .integer(width), "num_hidden_layers": .integer(layers.count),
            "num_attention_heads": .integer(attention.heads),
            "num_key_value_heads": .integer(attention.keyValueHeads), "head_dim": .integer(attention.headWidth),
            "intermediate_size": .integer((network?.hidden ?? 0) * (variant.doublesHidden ? 2 : 1)),
            "max_position_embeddings": .integer(context),
            "tie_word_embeddings": .bool(head?.weight != .own),
        ]
        switch (finalNorm, first.wiring) {
        case (.rms(let epsilon), _): values.append("rms_norm_eps", .number(epsilon.shortest))
        case (.layer(let epsilon, _), _): values += Self.epsilon(epsilon)
        case (nil, .sequential(let placement, _)):
            if case .layer(let epsilon, _) = placement.onSum { values += Self.epsilon(epsilon) }
        default: break
        }
        if let network {
            let name: String =
                switch network.activation {
                case .silu: "silu"
                case .gelu: "gelu"
                case .geluTanh: "gelu_pytorch_tanh"
                case .geluQuick: "quick_gelu"
                case .relu: "relu"
                }
            values += [
                "hidden_act": .string(name), "hidden_activation": .string(name),
                "activation_function": .string(name), "mlp_bias": .bool(network.bias),
            ]
        }
        values += [
            "attention_bias": .bool(attention.inputBias), "qkv_bias": .bool(attention.inputBias),
            "use_bias": .bool(attention.inputBias && network?.bias == true),
            "bias": .bool(attention.inputBias), "use_qk_norm": .bool(attention.headNorm != nil), "scale_emb": stemScale,
            "scale_depth": .number(Double(first.branchScale) * Double(layers.count).squareRoot()),
            "dim_model_base": .integer(Int((Double(width) * Double(head?.scale ?? 1)).rounded())),
            "seq_length": .integer(context), "use_dynamic_ntk": .bool(false), "use_logn_attn": .bool(false),
            "query_pre_attn_scalar": .number(Double(1 / (attention.scale * attention.scale)).rounded()),
            "attn_logit_softcapping": attention.scoreCap.map { .number($0.shortest) } ?? .null,
            "final_logit_softcapping": head?.cap.map { .number($0.shortest) } ?? .null,
        ]
        if case .latent(let latent) = attention.projection {
            values += [
                "q_lora_rank": latent.queryRank.map { .integer($0) } ?? .null,
                "kv_lora_rank": .integer(latent.keyValueRank), "qk_rope_head_dim": .integer(latent.turning),
                "qk_nope_head_dim": .integer(attention.headWidth - latent.turning),
                "v_head_dim": .integer(latent.valueWidth),
            ]
        }
        values += rotaryConfig
        values += windowConfig
        if let mixture { values += Self.config(mixture, layers, variant) }
        return values
    }

    private static func epsilon(_ value: Float) -> StatedValues {
        ["layer_norm_eps": .number(value.shortest), "layer_norm_epsilon": .number(value.shortest)]
    }

    private var stemScale: JSON {
        if case .tokens(let stem) = stem { .number(stem.scale.shortest) } else { .null }
    }

    private var rotaryConfig: StatedValues {
        let full = layers.first { if case .causalWindow = $0.attention.reach { false } else { true } } ?? layers.first
        guard let rotary = full?.attention.rotary else { return [:] }
        var values: StatedValues = ["rope_theta": .number(rotary.base)]
        if let headWidth = layers.first?.attention.headWidth {
            values.append("partial_rotary_factor", .number(Double(rotary.width) / Double(headWidth)))
        }
        switch rotary.scaling {
        case .linear(let factor):
            values.append("rope_scaling", .members(["rope_type": .string("linear"), "factor": .number(factor)]))
        case .yarn(let factor, let fast, let slow, let original, let rounds, let magnitude):
            var yarn: StatedValues = [
                "rope_type": .string("yarn"), "factor": .number(factor), "beta_fast": .number(fast),
                "beta_slow": .number(slow), "original_max_position_embeddings": .integer(original),
                "truncate": .bool(rounds),
            ]
            // The usual one is computed, and would lose digits here.
            let usual = factor <= 1 ? 1 : 0.1 * log(factor) + 1
            if abs(magnitude - usual) > 1e-6 * usual { yarn.append("attention_factor", .number(magnitude)) }
            values.append("rope_scaling", .members(yarn))
        case .perFrequency(let divisors, 1):
            // What scaling by wavelength comes to, with the numbers that every release has but for its first context.
            let factor = Double((divisors.max() ?? 1).rounded())
            let original = ([8192] + (4...17).map { 1 << $0 }).first { original in
                var other = rotary
                other.scaling = .byWavelength(factor: factor, lowFactor: 1, highFactor: 4, originalContext: original)
                return zip(other.divisors, divisors).allSatisfy { abs($0 - $1) <= 1e-5 * $1 }
            }
            values.append(
                "rope_scaling",
                .members([
                    "rope_type": .string("llama3"), "factor": .number(factor),
                    "low_freq_factor": .number(1), "high_freq_factor": .number(4),
                    "original_max_position_embeddings": .integer(original ?? 8192),
                ]))
        case .byLength(let short, let long, let original, let magnitude):
            values.append("original_max_position_embeddings", .integer(original))
            values.append(
                "rope_scaling",
                .members([
                    "rope_type": .string("longrope"), "short_factor": .numbers(short),
                    "long_factor": .numbers(long), "attention_factor": .number(magnitude),
                ]))
        default: break
        }
        let windowed = layers.first { if case .causalWindow = $0.attention.reach { true } else { false } }
        if let other = windowed?.attention.rotary, other != rotary, let headWidth = layers.first?.attention.headWidth {
            values.append("rope_local_base_freq", .number(other.base))
            if other.width != rotary.width {
                func parameters(_ rotary: RotarySpec) -> JSON {
                    .members([
                        "rope_type": .string("default"), "rope_theta": .number(rotary.base),
                        "partial_rotary_factor": .number(Double(rotary.width) / Double(headWidth)),
                    ])
                }
                values.append(
                    "rope_parameters",
                    .members(["full_attention": parameters(rotary), "sliding_attention": parameters(other)]))
            }
        }
        return values
    }

    private var windowConfig: StatedValues {
        let windows = layers.map { layer -> Int? in
            if case .causalWindow(let tokens) = layer.attention.reach { tokens } else { nil }
        }
        guard let window = windows.lazy.compactMap(\.self).first else { return [:] }
        return [
            "sliding_window": .integer(window),
            "layer_types": .strings(windows.map { $0 == nil ? "full_attention" : "sliding_attention" }),
        ]
    }

    private static func config(_ mixture: MixtureSpec, _ layers: [LayerSpec], _ variant: KeyVariant) -> StatedValues {
        let sparse = layers.indices.filter { if case .mixture = layers[$0].feedForward { true } else { false } }
        var values: StatedValues = [
            "num_experts": .integer(mixture.experts), "num_local_experts": .integer(mixture.experts),
            "n_routed_experts": .integer(mixture.experts), "moe_num_experts": .integer(mixture.experts),
            "num_experts_per_tok": .integer(mixture.chosen), "moe_k": .integer(mixture.chosen),
            "moe_intermediate_size": .integer(mixture.expert.hidden),
            "norm_topk_prob": .bool(mixture.normalization != .none),
            "routed_scaling_factor": .number(mixture.scale.shortest),
            "first_k_dense_replace": .integer(sparse.first ?? 0),
            "moe_layer_start_index": .integer(sparse.first ?? 0),
            "moe_layer_interval": .integer(sparse.count > 1 ? sparse[1] - sparse[0] : 1),
        ]
        if let shared = mixture.shared?.network.hidden {
            let isWhole = shared.isMultiple(of: mixture.expert.hidden) && !variant.joinsShared
            values += [
                "n_shared_experts": .integer(isWhole ? shared / mixture.expert.hidden : 1),
                "moe_num_shared_experts": .integer(isWhole ? shared / mixture.expert.hidden : 1),
                "shared_expert_intermediate_size": .integer(shared),
            ]
        }
        if let groups = mixture.groups {
            values += ["n_group": .integer(groups.count), "topk_group": .integer(groups.chosen)]
        }
        return values
    }
}

extension Float {
    /// The number that its shortest decimal spelling says: what a person would have written.
    fileprivate var shortest: Double { Double("\(self)") ?? Double(self) }
}
