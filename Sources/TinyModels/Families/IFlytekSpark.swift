import TinyLayers

/// iFlytekSpark 13B, in a folder with the names of its port to MindSpore: LayerNorm, biases everywhere, a gated network,
/// a window.
///
/// iFlytek 2024, "iFlytekSpark-13B"
enum IFlytekSpark: Family {
    static let name = "iFlytekSpark"
    static let modelTypes = ["iflytekspark"]
    static let ggufArchitectures: [String] = []

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false)
        let norm = NormSpec.layer(epsilon: try config.epsilon("layernorm_epsilon", default: 1e-5), bias: true)
        for key in [
            "post_layernorm_residual", "apply_residual_connection_post_layernorm", "use_moe", "is_reward_model",
        ] {
            try config.require(key, is: false)
        }
        if let experts = try config.integer("expert_num"), experts != 1 {
            throw config.error("expert_num", "is \(experts); mixtures of experts are not supported")
        }
        var attention = config.attention(
            sizes, rotary: try config.rotary(sizes, defaultBase: 1_000_000), inputBias: true, outputBias: true)
        attention.reach = .causalWindow(tokens: try config.optionalSize(["sparse_local_size"]) ?? 8192)
        let network = NetworkSpec(form: .gated, hidden: sizes.hidden / 2, activation: .geluTanh, bias: true)
        config.ignore([
            "compute_type", "softmax_compute_type", "layernorm_compute_type", "embedding_init_type", "dropout_rate",
            "ignore_token_id", "hidden_act",  // the port's network never asks for it
        ])
        return try config.decoder(
            sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .tied))
        ) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        func norm(_ name: String) -> TensorSource {
            .parts(weight: .bare(name + ".gamma"), bias: .bare(name + ".beta"))
        }
        return NameMap(
            prefix: "transformer.", layers: "transformer.layers", harmless: .tiedHead(spec),
            model: [
                .tokenTable: .bare("embedding.word_embeddings.embedding_table"),
                .finalNorm: norm("transformer.layernorm"), .head: .whole("lm_head.weight"),
            ],
            layer: [LayerSlot: TensorSource].fused(
                "attention.q_k_v_proj", .stacked(spec.layers[0].attention)
            ).with([
                .norm(.beforeAttention): norm("layer_norm"), .norm(.beforeFeedForward): norm("final_layer_norm"),
                .attentionOutput: "attention.out_proj", .network(.gate): "mlp.fc0", .network(.up): "mlp.fc1",
                .network(.down): "mlp.fc2",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
