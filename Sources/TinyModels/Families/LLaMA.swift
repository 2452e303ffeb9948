import TinyLayers

/// LLaMA 1 to 3, and all that copied its shape: SmolLM2, Mistral, TinyLlama.
///
/// Touvron et al. 2023, arXiv:2302.13971; grouped heads from LLaMA 2, arXiv:2307.09288; Mistral's window,
/// arXiv:2310.06825
enum LLaMA: Family {
    static let name = "LLaMA"
    static let modelTypes = ["llama", "mistral"]
    static let ggufArchitectures = ["llama"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let width = try config.size("hidden_size", "embedding_length")
        let depth = try config.depth("num_hidden_layers", "block_count")
        let heads = try config.size("num_attention_heads", "attention.head_count")
        let keyValueHeads = try config.optionalSize(["num_key_value_heads", "attention.head_count_kv"]) ?? heads
        let headWidth = try config.optionalSize(["head_dim", "attention.key_length"]) ?? max(1, width / heads)
        let context = try config.size("max_position_embeddings", "context_length")
        let norm = NormSpec.rms(
            epsilon: try config.epsilon("rms_norm_eps", "attention.layer_norm_rms_epsilon", default: 1e-6))
        guard heads.isMultiple(of: keyValueHeads) else {
            throw config.error(
                "num_attention_heads", "is \(heads), no multiple of the \(keyValueHeads) key and value heads")
        }
        guard heads * headWidth <= Int32.max else {
            throw config.error("head_dim", "is \(headWidth), too much for \(heads) heads")
        }
        if let experts = try config.integer("num_local_experts", "expert_count"), experts != 0 {
            throw config.error("num_local_experts", "is \(experts); mixtures of experts are not supported")
        }
        // Only Mistral's class looks at the window; elsewhere the key is a leftover.
        let statedWindow = try config.optionalSize(["sliding_window"])
        let window = try config.string("model_type") == "mistral" ? statedWindow : nil
        // Where a configuration leaves biases out, as GGUF does, the tensors tell.
        let inputBias = try config.bool("attention_bias") ?? config.hasTensor("blk.0.attn_q.bias")
        let layer = LayerSpec(
            wiring: .sequential(attention: NormPlacement(before: norm), feedForward: NormPlacement(before: norm)),
            attention: AttentionSpec(
                heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth,
                scale: 1 / Float(headWidth).squareRoot(),
                rotary: try config.rotary(headWidth: headWidth, pairing: .halves, context: context),
                reach: window.map { .causalWindow(tokens: $0) } ?? .causal,
                inputBias: inputBias,
                outputBias: try config.bool("attention_bias") ?? config.hasTensor("blk.0.attn_output.bias")),
            feedForward: FeedForwardSpec(
                form: .gated, hidden: try config.size("intermediate_size", "feed_forward_length"),
                activation: try config.activation(default: .silu),
                bias: try config.bool("mlp_bias") ?? config.hasTensor("blk.0.ffn_up.bias")))
        config.ignore(["pretraining_tp"])  // how training was cut over machines
        let tied =
            try config.bool("tie_word_embeddings")
            ?? !(config.hasTensor("output.weight") || config.hasTensor("lm_head.weight"))
        let rows = config.rows(ofTensor: "token_embd.weight")
        return ModelSpec(
            vocabulary: try rows ?? config.size("vocab_size"), width: width, context: context,
            stem: StemSpec(positions: .none), layers: Array(repeating: layer, count: depth), finalNorm: norm,
            head: HeadSpec(weight: tied ? .tied : .own))
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        // A model saved without its head has no prefix.
        let prefix = config.hasTensor("embed_tokens.weight") ? "" : "model."
        let harmless = ["rotary_emb.inv_freq"] + (spec.head.weight == .tied ? ["lm_head.weight"] : [])
        return NameMap(harmlessSuffixes: harmless) { slot in
            switch slot {
            case .tokenTable: return .named(prefix + "embed_tokens.weight")
            case .positionTable: return nil
            case .finalNorm(let part): return .named(prefix + "norm" + part.suffix)
            case .head: return .named("lm_head.weight")
            case .layer(let layer, let role): return name(role).map { .named("\(prefix)layers.\(layer)." + $0) }
            }
        }
    }

    private static func name(_ role: LayerSlot) -> String? {
        switch role {
        case .norm(.beforeAttention, let part): "input_layernorm" + part.suffix
        case .norm(.beforeFeedForward, let part): "post_attention_layernorm" + part.suffix
        case .norm: nil
        case .query(let part): "self_attn.q_proj" + part.suffix
        case .key(let part): "self_attn.k_proj" + part.suffix
        case .value(let part): "self_attn.v_proj" + part.suffix
        case .attentionOutput(let part): "self_attn.o_proj" + part.suffix
        case .gate(let part): "mlp.gate_proj" + part.suffix
        case .up(let part): "mlp.up_proj" + part.suffix
        case .down(let part): "mlp.down_proj" + part.suffix
        }
    }

    /// GGUF has the rows of queries and keys in the order in which neighbours turn together.
    static func ggufNames(_ spec: ModelSpec) -> NameMap {
        let attention = spec.layers.first?.attention
        let turning = attention?.rotary.map { HeadTurn(headWidth: attention?.headWidth ?? 0, turning: $0.width) }
        return .gguf { role in
            switch role {
            case .query, .key: turning
            default: nil
            }
        }
    }
}
