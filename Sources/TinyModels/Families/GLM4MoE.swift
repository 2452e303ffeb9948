import TinyLayers

/// GLM-4.5 to 4.7: a few dense layers, then many small experts, chosen within groups by sigmoid scores and a bias.
///
/// GLM-4.5 Team 2025, arXiv:2508.06471
enum GLM4MoE: Family {
    static let name = "GLM-4-MoE"
    static let modelTypes = ["glm4_moe"]
    static let ggufArchitectures = ["glm4moe"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        var sizes = try config.sizes()
        let extra = try extraLayers(config)
        if config.isGGUF { sizes.depth -= min(max(0, extra), sizes.depth - 1) }  // which counts these
        let norm = try config.rms(default: 1e-5)
        var attention = config.attention(
            sizes, rotary: try config.rotary(sizes, turnsParts: true, defaultPart: 0.5),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias"))
        if try config.bias("use_qk_norm", ggufTensor: "blk.0.attn_q_norm.weight") {
            attention.headNorm = HeadNormSpec(norm: norm, span: .head, afterRotation: false)
        }
        var mixture = try config.mixture(sizes)
        guard try config.integer("expert_gating_func") ?? 2 == 2 else {
            throw config.error("expert_gating_func", "is not 2, the sigmoid")
        }
        (mixture.scores, mixture.choiceBias) = (.sigmoid, true)
        mixture.normalization = try config.normalization(default: true, plus: 1e-20)
        mixture.scale = Float(try config.optionalNumber("routed_scaling_factor", "expert_weights_scale") ?? 1)
        mixture.groups = try config.groups(mixture)
        let shared = try config.optionalSize(["n_shared_experts", "expert_shared_count"]) ?? 1
        guard shared <= 1024 else { throw config.error("n_shared_experts", "is \(shared); at most 1024 are supported") }
        mixture.shared = MixtureSpec.Shared(
            network: try config.gated(shared * mixture.expert.hidden), isGated: false)
        let dense = try config.gated(sizes.hidden)
        let leading = try config.integer("first_k_dense_replace", "leading_dense_block_count") ?? 1
        return try config.decoder(
            sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))
        ) { layer in
            LayerSpec(
                wiring: .before(norm), attention: attention,
                feedForward: layer < leading ? .dense(dense) : .mixture(mixture))
        }
    }

    /// Layers behind the last one, which guess further tokens and are not used.
    private static func extraLayers(_ config: ConfigReader) throws -> Int {
        try config.integer("num_nextn_predict_layers", "num_mtp_layers", "nextn_predict_layers") ?? 0
    }

    private static func extra(_ spec: ModelSpec, _ config: ConfigReader, _ prefix: String) -> [String] {
        let count = min(max(0, (try? extraLayers(config)) ?? 0), 16)
        return (0..<count).map { "\(prefix)\(spec.layers.count + $0).*" }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec, harmless: extra(spec, config, "model.layers."),
            [.choiceBias: .bare("mlp.gate.e_score_correction_bias")])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, harmless: extra(spec, config, "blk."), [.norm(.beforeFeedForward): "post_attention_norm"])
    }
}
