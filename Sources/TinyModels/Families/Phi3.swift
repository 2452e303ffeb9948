import TinyLayers

/// Phi-3, Phi-3.5 and Phi-4: LLaMA's shape with fused tensors, a window, and divisors for long texts.
///
/// Abdin et al. 2024, arXiv:2404.14219
enum Phi3: Family {
    static let name = "Phi-3"
    static let modelTypes = ["phi3"]
    static let ggufArchitectures = ["phi3"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        config.assume(["original_max_position_embeddings": 4096, "max_position_embeddings": 4096])
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1e-5)
        let rotary = try config.rotary(sizes, turnsParts: true)
        switch rotary.scaling {
        case .none, .byLength: break
        default: throw config.error("rope_scaling", "is of another type than longrope, the only one of this family")
        }
        var attention = config.attention(sizes, rotary: rotary)
        if let window = try config.window() { attention.reach = .causalWindow(tokens: window) }
        let network = try config.gated(sizes.hidden)
        try config.require(["attention_bias": false, "mlp_bias": false, "lm_head_bias": false])
        config.ignore([
            "original_max_position_embeddings", "rope.scaling.original_context_length",  // without divisors
            "full_attn_mod", "interpolate_factor",  // of Phi-4-mini, read by no class
        ])
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))) {
            _ in LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let layer = spec.layers[0]
        return .usual(
            config, spec,
            .fused("self_attn.qkv_proj", .stacked(layer.attention)).with(.fusedGate("mlp.gate_up_proj", layer)))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let layer = spec.layers[0]
        return .gguf(spec, .fused("attn_qkv", .stacked(layer.attention)).with(.fusedGate("ffn_up", layer)))
    }
}
