import TinyLayers

/// GPT-2: learned positions, LayerNorm, plain feed-forward, biases everywhere, weights stored inputs by outputs.
///
/// Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"
enum GPT2: Family {
    static let name = "GPT-2"
    static let modelTypes = ["gpt2"]
    static let ggufArchitectures = ["gpt2"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let width = try config.size("n_embd", "embedding_length")
        let heads = try config.size("n_head", "attention.head_count")
        let context = try config.size("n_positions", "n_ctx", "context_length")
        let norm = NormSpec.layer(
            epsilon: try config.epsilon("layer_norm_epsilon", "attention.layer_norm_epsilon", default: 1e-5), bias: true
        )
        guard width.isMultiple(of: heads) else {
            throw config.error("n_embd", "is \(width), no multiple of \(heads) heads")
        }
        let headWidth = width / heads
        let scalesScores = try config.bool("scale_attn_weights") ?? true
        let scalesByLayer = try config.bool("scale_attn_by_inverse_layer_idx") ?? false
        let feedForward = FeedForwardSpec(
            form: .plain, hidden: try config.optionalSize(["n_inner", "feed_forward_length"]) ?? 4 * width,
            activation: try config.activation(default: .geluTanh), bias: true)
        let layers = (0..<(try config.depth("n_layer", "block_count"))).map { layer in
            LayerSpec(
                wiring: .sequential(attention: NormPlacement(before: norm), feedForward: NormPlacement(before: norm)),
                attention: AttentionSpec(
                    heads: heads, keyValueHeads: heads, headWidth: headWidth,
                    scale: (scalesScores ? 1 / Float(headWidth).squareRoot() : 1)
                        / (scalesByLayer ? Float(layer + 1) : 1),
                    rotary: nil, inputBias: true, outputBias: true),
                feedForward: feedForward)
        }
        if try config.optionalSize(["attention.head_count_kv"]) ?? heads != heads {
            throw config.error(
                "attention.head_count_kv", "differs from the number of heads; this family has no grouped heads")
        }
        config.ignore([
            "n_ctx", "reorder_and_upcast_attn", "summary_type", "summary_use_proj", "summary_activation",
            "summary_proj_to_labels",
            "summary_first_dropout", "n_special", "predict_special_tokens",
        ])
        // The head has always been tied; a GGUF file may hold the table a second time.
        let tied = try config.bool("tie_word_embeddings") ?? !config.hasTensor("output.weight")
        let rows = config.rows(ofTensor: "token_embd.weight")
        return ModelSpec(
            vocabulary: try rows ?? config.size("vocab_size"), width: width, context: context,
            stem: StemSpec(positions: .learned(rows: context)), layers: layers, finalNorm: norm,
            head: HeadSpec(weight: tied ? .tied : .own))
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let prefix = config.hasTensor("transformer.wte.weight") ? "transformer." : ""  // the hub's file has none
        let width = spec.width
        return NameMap(
            harmlessSuffixes: [".attn.bias", ".attn.masked_bias"]
                + (spec.head.weight == .tied ? ["lm_head.weight"] : [])
        ) { slot in
            switch slot {
            case .tokenTable: return .named(prefix + "wte.weight")
            case .positionTable: return .named(prefix + "wpe.weight")
            case .finalNorm(let part): return .named(prefix + "ln_f" + part.suffix)
            case .head: return .named("lm_head.weight")
            case .layer(let layer, let role):
                guard let source = source(role, "\(prefix)h.\(layer).", width: width) else { return nil }
                return source
            }
        }
    }

    private static func source(_ role: LayerSlot, _ prefix: String, width: Int) -> TensorSource? {
        func fused(_ index: Int, _ part: Part) -> TensorSource {
            .part(index, of: [width, width, width], .transposed(.named(prefix + "attn.c_attn" + part.suffix)))
        }
        switch role {
        case .norm(.beforeAttention, let part): return .named(prefix + "ln_1" + part.suffix)
        case .norm(.beforeFeedForward, let part): return .named(prefix + "ln_2" + part.suffix)
        case .norm, .gate: return nil
        case .query(let part): return fused(0, part)
        case .key(let part): return fused(1, part)
        case .value(let part): return fused(2, part)
        case .attentionOutput(let part): return .transposed(.named(prefix + "attn.c_proj" + part.suffix))
        case .up(let part): return .transposed(.named(prefix + "mlp.c_fc" + part.suffix))
        case .down(let part): return .transposed(.named(prefix + "mlp.c_proj" + part.suffix))
        }
    }

    static func ggufNames(_ spec: ModelSpec) -> NameMap { .gguf(fusedQKV: [spec.width, spec.width, spec.width]) }
}
