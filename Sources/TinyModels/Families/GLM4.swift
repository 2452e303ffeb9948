import TinyLayers

/// GLM-4-0414 and GLM-Z1: as GLM with norms behind both branches too.
///
/// Team GLM 2024, arXiv:2406.12793
enum GLM4: Family {
    static let name = "GLM-4"
    static let modelTypes = ["glm4"]
    static let ggufArchitectures = ["glm4"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        config.assume(["num_key_value_heads": 2, "head_dim": 128, "max_position_embeddings": 131_072])
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1.5625e-7)
        let attention = config.attention(
            sizes, rotary: try config.rotary(sizes, pairing: .neighbours, turnsParts: true, defaultPart: 0.5),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias", default: true))
        let network = try config.gated(sizes.hidden)
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))) {
            _ in
            LayerSpec(
                wiring: .sequential(NormPlacement(before: norm, after: norm)), attention: attention,
                feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec,
            [LayerSlot: TensorSource].fusedGate("mlp.gate_up_proj", spec.layers[0]).with([
                .norm(.afterAttention): "post_self_attn_layernorm",
                .norm(.beforeFeedForward): "post_attention_layernorm",
                .norm(.afterFeedForward): "post_mlp_layernorm",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, .fusedGate("ffn_up", spec.layers[0]))
    }
}
