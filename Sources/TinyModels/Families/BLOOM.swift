import TinyLayers

/// BLOOM and BLOOMZ: slopes for positions, LayerNorm, also behind the token table, a plain network.
///
/// BigScience Workshop 2022, arXiv:2211.05100
enum BLOOM: Family {
    static let name = "BLOOM"
    static let modelTypes = ["bloom"]
    static let ggufArchitectures = ["bloom"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false, context: 2048) { 4 * $0 }
        let norm = try config.layerNorm()
        guard sizes.hidden == 4 * sizes.width else {
            throw config.error("n_inner", "is \(sizes.hidden); \(4 * sizes.width), four times the width, is expected")
        }
        var attention = config.attention(sizes, rotary: nil, inputBias: true, outputBias: true)
        attention.bias = .linear(slopes: PositionBias.slopes(heads: sizes.heads))
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .geluTanh), bias: true)
        let onStream = try config.bool("apply_residual_connection_post_layernorm") ?? false
        config.ignore([
            "attention_softmax_in_fp32", "bias_dropout_fusion", "masked_softmax_fusion", "offset_alibi",
            "pretraining_tp",
            "skip_bias_add", "skip_bias_add_qkv", "slow_but_exact",
        ])
        return try config.decoder(
            sizes, stem: TokenStemSpec(norm: norm), finalNorm: norm,
            head: HeadSpec(weight: config.headWeight(default: .tied))
        ) { _ in
            LayerSpec(
                wiring: .sequential(onStream ? NormPlacement(onStream: norm) : NormPlacement(before: norm)),
                attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        NameMap(
            prefix: config.prefix("transformer.", unless: "word_embeddings.weight"), layers: "h",
            harmless: .tiedHead(spec),
            model: [
                .tokenTable: "word_embeddings", .stemNorm: "word_embeddings_layernorm", .finalNorm: "ln_f",
                .head: .whole("lm_head.weight"),
            ],
            layer: [LayerSlot: TensorSource].fused(
                "self_attention.query_key_value", .byGroup(spec.layers[0].attention)
            ).with([
                .norm(.beforeAttention): "input_layernorm", .norm(.onAttentionStream): "input_layernorm",
                .norm(.beforeFeedForward): "post_attention_layernorm",
                .norm(.onFeedForwardStream): "post_attention_layernorm", .attentionOutput: "self_attention.dense",
                .network(.up): "mlp.dense_h_to_4h", .network(.down): "mlp.dense_4h_to_h",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, .fused("attn_qkv", .stacked(spec.layers[0].attention)))
    }
}
