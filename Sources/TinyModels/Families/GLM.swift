import TinyLayers

/// ChatGLM 2 and 3, GLM-4-9B in its folder of old and of new, GLM-Edge: neighbours turn, in a part of each head.
///
/// Zeng et al. 2023, arXiv:2210.02414; Team GLM 2024, arXiv:2406.12793
enum GLM: Family {
    static let name = "GLM"
    static let modelTypes = ["chatglm", "glm"]
    static let ggufArchitectures = ["chatglm"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let isOld = isOld(config)
        if !isOld { config.assume(["num_key_value_heads": 2, "head_dim": 128, "max_position_embeddings": 131_072]) }
        let sizes = try config.sizes()
        let norm = try config.rms(default: isOld ? 1e-5 : 1.5625e-7)
        var rotary = try config.rotary(sizes, pairing: .neighbours, turnsParts: true, defaultPart: 0.5)
        if let ratio = try config.positive("rope_ratio") { rotary.base = Double(Float(rotary.base * ratio)) }
        guard rotary.base > 1 else { throw config.error("rope_ratio", "makes a base of \(rotary.base)") }
        let bias = try config.bias(
            "attention_bias", "add_qkv_bias", ggufTensor: "blk.0.attn_qkv.bias", "blk.0.attn_q.bias", default: !isOld)
        let attention = config.attention(sizes, rotary: rotary, inputBias: bias)
        let network = try config.gated(sizes.hidden)
        try config.require([
            "rmsnorm": true, "post_layer_norm": true, "multi_query_attention": true, "add_bias_linear": false,
            "apply_residual_connection_post_layernorm": false,
        ])
        config.ignore([
            "apply_query_key_layer_scaling",  // cancels out
            "attention_softmax_in_fp32", "fp32_residual_connection", "bias_dropout_fusion", "original_rope",
        ])
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))) {
            _ in LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    private static func isOld(_ config: ConfigReader) -> Bool { (try? config.string("model_type")) == "chatglm" }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let layer = spec.layers[0]
        if !isOld(config) { return .usual(config, spec, .fusedGate("mlp.gate_up_proj", layer)) }
        let fused: [LayerSlot: TensorSource] = .fused("self_attention.query_key_value", .stacked(layer.attention))
        return NameMap(
            prefix: "transformer.", layers: "encoder.layers", harmless: ["rotary_pos_emb.inv_freq"],
            model: [
                .tokenTable: "embedding.word_embeddings", .finalNorm: "encoder.final_layernorm", .head: "output_layer",
            ],
            layer: .usual.with(fused).with(.fusedGate("mlp.dense_h_to_4h", layer)).with([
                .attentionOutput: "self_attention.dense", .network(.down): "mlp.dense_4h_to_h",
            ]))
    }

    /// The names tell which folder a file was made of.
    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let layer = spec.layers[0]
        let isFused = config.hasTensor("blk.0.attn_qkv.weight")
        return .gguf(
            spec, .fusedGate("ffn_up", layer).with(isFused ? .fused("attn_qkv", .stacked(layer.attention)) : [:]))
    }
}
