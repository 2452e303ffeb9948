import TinyLayers

/// Falcon: attention and feed-forward side by side, LayerNorm, a plain network; the "RW" models one after the other with
/// slopes instead of rotation.
///
/// Almazrouei et al. 2023, arXiv:2311.16867; Penedo et al. 2023, arXiv:2306.01116
enum Falcon: Family {
    static let name = "Falcon"
    /// The first releases had types of their own: RefinedWebModel for the small ones, RefinedWeb for the large one.
    static let modelTypes = ["falcon", "RefinedWebModel", "RefinedWeb"]
    static let ggufArchitectures = ["falcon"]
    static let outputIsSensitive = true

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(context: 2048) { 4 * $0 }
        let norm = try config.layerNorm()
        let isNew = try config.bool("new_decoder_architecture") ?? (config.string("model_type") == "RefinedWeb")
        let isParallel = try config.bool("parallel_attn") ?? true
        let norms = try config.integer("num_ln_in_parallel_attn") ?? (isNew ? 2 : 1)
        guard isNew ? isParallel && (norms == 1 || norms == 2) : norms == 1 else {
            throw config.error(
                "new_decoder_architecture",
                "is \(isNew), with which \(norms) norms and parallel_attn \(isParallel) do not go")
        }
        try config.require("apply_residual_connection_post_layernorm", is: false)
        // Whatever num_kv_heads says, which only the new kind heeds.
        let isShared = try config.bool("multi_query") ?? true
        let hasSlopes = try config.bool("alibi") ?? false
        let bias = try config.bias("bias", ggufTensor: "blk.0.attn_qkv.bias")
        var attention = config.attention(
            sizes, rotary: hasSlopes ? nil : try config.rotary(sizes), inputBias: bias, outputBias: bias)
        if !isNew && !config.isGGUF { attention.keyValueHeads = isShared ? 1 : sizes.heads }
        if hasSlopes {
            // Added before scores are scaled, and in half the precision.
            attention.bias = .roundedLinear(slopes: PositionBias.slopes(heads: sizes.heads), factor: attention.scale)
            config.ignore(["rope_parameters", "rope_theta", "rope_scaling"])
        }
        config.ignore(["ff_factor"])  // ffn_hidden_size says it
        let hasSecond = config.isGGUF ? config.hasTensor("blk.0.attn_norm_2.weight") : norms == 2
        let wiring =
            isParallel ? WiringSpec.parallel(attention: norm, feedForward: hasSecond ? norm : nil) : .before(norm)
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .gelu), bias: bias)
        return try config.decoder(
            sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .tied))
        ) { _ in
            LayerSpec(wiring: wiring, attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        var isDouble = false
        if case .parallel(_, .some) = spec.layers[0].wiring { isDouble = true }
        return NameMap(
            prefix: config.prefix("transformer.", unless: "word_embeddings.weight"), layers: "h",
            harmless: ["rotary.inv_freq", "rotary_emb.inv_freq"] + .tiedHead(spec),
            model: [.tokenTable: "word_embeddings", .finalNorm: "ln_f", .head: .whole("lm_head.weight")],
            layer: [LayerSlot: TensorSource].fused(
                "self_attention.query_key_value", .byGroup(spec.layers[0].attention)
            ).with([
                .norm(.beforeAttention): isDouble ? "ln_attn" : "input_layernorm",
                .norm(.beforeFeedForward): isDouble ? "ln_mlp" : "post_attention_layernorm",
                .attentionOutput: "self_attention.dense", .network(.up): "mlp.dense_h_to_4h",
                .network(.down): "mlp.dense_4h_to_h",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let fused: [LayerSlot: TensorSource] = .fused("attn_qkv", .stacked(spec.layers[0].attention))
        guard case .parallel(_, .some) = spec.layers[0].wiring else { return .gguf(spec, fused) }
        return .gguf(
            spec, fused.with([.norm(.beforeAttention): "attn_norm_2", .norm(.beforeFeedForward): "attn_norm"]))
    }
}
