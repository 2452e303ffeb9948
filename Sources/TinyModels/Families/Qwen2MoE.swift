import TinyLayers

/// Qwen1.5-MoE and Qwen2-57B-A14B: Qwen2 with many small experts and one that all tokens share, behind a gate.
///
/// Yang et al. 2024, arXiv:2407.10671
enum Qwen2MoE: Family {
    static let name = "Qwen2-MoE"
    static let modelTypes = ["qwen2_moe"]
    static let ggufArchitectures = ["qwen2moe"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms()
        // The window is a leftover where it is not switched on, and then may be 0.
        let slides = try config.bool("use_sliding_window") ?? false
        let window = slides ? try config.size("sliding_window") : nil
        let full = try config.optionalSize(["max_window_layers"]) ?? 28
        config.ignore(["sliding_window"])
        let reaches = try config.reaches(sizes, window: window) {
            window != nil && $0.isMultiple(of: 2) && $0 < full
        }
        let attention = config.attention(
            sizes, rotary: try config.rotary(sizes),
            inputBias: try config.bias("qkv_bias", ggufTensor: "blk.0.attn_q.bias", default: true))
        var mixture = try config.mixture(sizes)
        mixture.normalization = try config.normalization(default: false)
        mixture.shared = MixtureSpec.Shared(
            network: try config.gated(
                config.size("shared_expert_intermediate_size", "expert_shared_feed_forward_length")), isGated: true)
        let dense = try config.gated(sizes.hidden)
        let isSparse = try config.sparseLayers(sizes)
        return try config.decoder(sizes, finalNorm: norm) { layer in
            var attention = attention
            attention.reach = reaches[layer]
            return LayerSpec(
                wiring: .before(norm), attention: attention,
                feedForward: isSparse[layer] ? .mixture(mixture) : .dense(dense))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec,
            [
                .shared(.gate): "mlp.shared_expert.gate_proj", .shared(.up): "mlp.shared_expert.up_proj",
                .shared(.down): "mlp.shared_expert.down_proj", .sharedGate: "mlp.shared_expert_gate",
            ])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
