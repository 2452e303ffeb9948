import TinyLayers

/// GPT-2: learned positions, LayerNorm, plain feed-forward, biases everywhere, weights stored inputs by outputs.
///
/// Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"
enum GPT2: Family {
    static let name = "GPT-2"
    static let modelTypes = ["gpt2"]
    static let ggufArchitectures = ["gpt2"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes { 4 * $0 }
        let norm = try config.layerNorm()
        guard sizes.keyValueHeads == sizes.heads else {
            throw config.error(
                "attention.head_count_kv", "differs from the number of heads; this family has no grouped heads")
        }
        let scalesScores = try config.bool("scale_attn_weights") ?? true
        let scalesByLayer = try config.bool("scale_attn_by_inverse_layer_idx") ?? false
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .geluTanh), bias: true)
        config.ignore([
            "n_ctx", "reorder_and_upcast_attn", "summary_type", "summary_use_proj", "summary_activation",
            "summary_proj_to_labels", "summary_first_dropout", "n_special", "predict_special_tokens",
        ])
        // The head has always been tied; a GGUF file may hold the table a second time.
        return try config.decoder(
            sizes, stem: TokenStemSpec(positions: .learned(rows: sizes.context)), finalNorm: norm,
            head: HeadSpec(weight: config.headWeight(default: .tied))
        ) { layer in
            var attention = config.attention(sizes, rotary: nil, inputBias: true, outputBias: true)
            if !scalesScores { attention.scale = 1 }
            if scalesByLayer { attention.scale /= Float(layer + 1) }
            return LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        NameMap(
            prefix: config.hasTensor("transformer.wte.weight") ? "transformer." : "",  // the hub's file has none
            layers: "h",
            harmless: [".attn.bias", ".attn.masked_bias"] + (spec.head?.weight == .tied ? ["lm_head.weight"] : []),
            model: [
                .tokenTable: "wte", .positionTable: "wpe", .finalNorm: "ln_f", .head: .whole("lm_head.weight"),
            ],
            layer: [LayerSlot: TensorSource].fused(.transposed("attn.c_attn"), .stacked(spec.layers[0].attention)).with(
                [
                    .norm(.beforeAttention): "ln_1", .norm(.beforeFeedForward): "ln_2",
                    .attentionOutput: .transposed("attn.c_proj"), .network(.up): .transposed("mlp.c_fc"),
                    .network(.down): .transposed("mlp.c_proj"),
                ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, .fused("attn_qkv", .stacked(spec.layers[0].attention)))
    }
}
