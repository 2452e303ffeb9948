import TinyLayers

/// Qwen, the first generation: LLaMA's shape with biases on queries, keys and values, and two ways to longer texts: the
/// rotation's base grows in steps, and queries by the logarithm of their position.
///
/// Bai et al. 2023, arXiv:2309.16609
enum Qwen: Family {
    static let name = "Qwen"
    static let modelTypes = ["qwen"]
    static let ggufArchitectures = ["qwen"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false)
        let norm = NormSpec.rms(
            epsilon: try config.epsilon(
                "layer_norm_epsilon", "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", default: 1e-6)
        )
        try config.require("apply_residual_connection_post_layernorm", is: false)
        try config.require("activation", is: "swiglu")
        try config.require("pos_emb", is: "rotary")
        let bias = try !(config.bool("no_bias") ?? true)
        let base = try config.optionalNumber("rotary_emb_base", "rope.freq_base") ?? 10_000
        let rotary = try config.rotary(
            sizes, defaultBase: base, turnsParts: true, defaultPart: config.optionalNumber("rotary_pct") ?? 1)
        guard rotary.base == base else {
            throw config.error("rope_theta", "is \(rotary.base), and rotary_emb_base is \(base)")
        }
        var attention = config.attention(sizes, rotary: rotary, inputBias: true, outputBias: bias)
        // GGUF says nothing of either.
        let trained = config.isGGUF ? nil : try config.size("seq_length")
        if try config.bool("use_dynamic_ntk") ?? true, let trained {
            attention.rotary?.scaling = .dynamicSteps(originalContext: trained)
        }
        if try config.bool("use_logn_attn") ?? true { attention.growsBeyond = trained }
        let network = NetworkSpec(form: .gated, hidden: sizes.hidden / 2, activation: .silu, bias: bias)
        config.ignore([
            "attn_dropout_prob", "emb_dropout_prob", "bf16", "fp16", "fp32", "onnx_safe", "use_flash_attn",
            "bias_dropout_fusion", "params_dtype", "padded_vocab_size", "tokenizer_type",
            "kv_channels",  // a head's width, which tensors show
            "scale_attn_weights",  // the class always does
        ])
        return try config.decoder(sizes, finalNorm: norm) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        NameMap(
            prefix: config.prefix("transformer.", unless: "wte.weight"), layers: "h",
            harmless: ["rotary_emb.inv_freq", ".attn.masked_bias"] + .tiedHead(spec),
            model: [.tokenTable: "wte", .finalNorm: "ln_f", .head: .whole("lm_head.weight")],
            layer: [LayerSlot: TensorSource].fused("attn.c_attn", .stacked(spec.layers[0].attention)).with([
                .norm(.beforeAttention): "ln_1", .norm(.beforeFeedForward): "ln_2", .attentionOutput: "attn.c_proj",
                .network(.gate): "mlp.w2", .network(.up): "mlp.w1", .network(.down): "mlp.c_proj",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, .fused("attn_qkv", .stacked(spec.layers[0].attention)))
    }
}
