package import TinyLayers

/// The sizes that nearly every configuration has.
package struct Sizes {
    package let width: Int
    package let depth: Int
    package let heads: Int
    package let keyValueHeads: Int
    package let headWidth: Int
    package let hidden: Int
    package let context: Int
    package let vocabulary: Int
}

// What most decoders' specs have in common, in every spelling of `config.json` through the years and in GGUF's.
extension ConfigReader {
    /// - Parameters:
    ///   - hidden: the feed-forward network's width where the configuration has none, for a given width.
    ///   - context: positions the model was made for, where the family has another key.
    package func sizes(context: Int? = nil, hidden: ((_ width: Int) -> Int)? = nil) throws -> Sizes {
        let width = try size("hidden_size", "n_embd", "d_model", "embedding_length")
        let heads = try size("num_attention_heads", "n_head", "attention.head_count")
        let keyValueHeads = try optionalSize(["num_key_value_heads", "attention.head_count_kv"]) ?? heads
        guard heads.isMultiple(of: keyValueHeads) else {
            throw error(
                "num_attention_heads", "is \(heads), no multiple of the \(keyValueHeads) key and value heads")
        }
        let stated = try optionalSize(["head_dim", "attention.key_length"])
        if stated == nil, !width.isMultiple(of: heads) {
            throw error(spelling(["hidden_size", "n_embd", "d_model"]), "is \(width), no multiple of \(heads) heads")
        }
        let headWidth = stated ?? width / heads
        guard heads * headWidth <= Int32.max else {
            throw error("head_dim", "is \(headWidth), too much for \(heads) heads")
        }
        let hiddenKeys = ["intermediate_size", "ffn_dim", "n_inner", "feed_forward_length"]
        let hiddenWidth = try optionalSize(hiddenKeys)
        return Sizes(
            width: width, depth: try depth("num_hidden_layers", "n_layer", "block_count"), heads: heads,
            keyValueHeads: keyValueHeads, headWidth: headWidth,
            hidden: try hiddenWidth ?? hidden?(width) ?? size("intermediate_size", "feed_forward_length"),
            context: try context
                ?? size("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "context_length"),
            vocabulary: try rows(ofTensor: "token_embd.weight") ?? size("vocab_size"))
    }

    package func rms(default other: Double = 1e-6) throws -> NormSpec {
        .rms(
            epsilon: try epsilon(
                "rms_norm_eps", "layernorm_epsilon", "attention.layer_norm_rms_epsilon", default: other))
    }

    package func layerNorm(default other: Double = 1e-5, bias: Bool = true) throws -> NormSpec {
        .layer(
            epsilon: try epsilon(
                "layer_norm_epsilon", "layer_norm_eps", "attention.layer_norm_epsilon", default: other), bias: bias)
    }

    /// Attention of the usual shape: grouped heads, scores by the root of their width.
    package func attention(
        _ sizes: Sizes, rotary: RotarySpec?, inputBias: Bool = false, outputBias: Bool = false
    ) -> AttentionSpec {
        AttentionSpec(
            heads: sizes.heads, keyValueHeads: sizes.keyValueHeads, headWidth: sizes.headWidth,
            scale: 1 / Float(sizes.headWidth).squareRoot(), rotary: rotary, inputBias: inputBias,
            outputBias: outputBias)
    }

    /// A rotation of whole heads, or of the part that the configuration says.
    package func rotary(
        _ sizes: Sizes, pairing: RotarySpec.Pairing = .halves, defaultBase: Double = 10_000, turnsParts: Bool = false
    ) throws -> RotarySpec {
        try rotary(
            headWidth: sizes.headWidth, pairing: pairing, context: sizes.context, defaultBase: defaultBase,
            turnsParts: turnsParts)
    }

    package func gated(
        _ hidden: Int, _ other: NetworkSpec.Activation = .silu, bias: Bool = false
    ) throws -> NetworkSpec {
        NetworkSpec(form: .gated, hidden: hidden, activation: try activation(default: other), bias: bias)
    }

    /// Whether the token table serves as the head's too: stated, or else told by the tensors.
    ///
    /// - Parameter other: what the reference's class takes where a `config.json` says nothing; told by the tensors if nil.
    package func headWeight(default other: HeadSpec.Weight? = nil) throws -> HeadSpec.Weight {
        if let tied = try bool("tie_word_embeddings") { return tied ? .tied : .own }
        if isGGUF { return hasTensor("output.weight") ? .own : .tied }
        return other ?? (hasTensor("lm_head.weight") ? .own : .tied)
    }

    /// A bias that a configuration states, or that only the tensors of a GGUF file tell of.
    package func bias(_ key: String, ggufTensor: String, default other: Bool = false) throws -> Bool {
        try bool(key) ?? (isGGUF ? hasTensor(ggufTensor) : other)
    }

    /// A decoder: token table, layers, norm, head.
    package func decoder(
        _ sizes: Sizes, stem: TokenStemSpec = TokenStemSpec(), finalNorm: NormSpec?, head: HeadSpec? = nil,
        layer: (Int) throws -> LayerSpec
    ) throws -> ModelSpec {
        ModelSpec(
            vocabulary: sizes.vocabulary, width: sizes.width, context: sizes.context, stem: .tokens(stem),
            layers: try (0..<sizes.depth).map(layer), finalNorm: finalNorm,
            head: try head ?? HeadSpec(weight: headWeight()))
    }
}

extension WiringSpec {
    /// Norms before both branches.
    package static func before(_ norm: NormSpec) -> WiringSpec { .sequential(NormPlacement(before: norm)) }
}
