package import TinyLayers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The sizes that nearly every configuration has.
package struct Sizes {
    package let width: Int
    package var depth: Int
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
    ///   - grouped: whether the family can share a head of keys among several of queries.
    ///   - hidden: the feed-forward network's width where the configuration has none, for a given width.
    ///   - context: positions the model was made for, where the configuration does not say.
    package func sizes(
        grouped: Bool = true, context: Int? = nil, hidden: ((_ width: Int) -> Int)? = nil
    ) throws -> Sizes {
        let width = try size("hidden_size", "n_embd", "n_embed", "d_model", "embedding_length")
        let heads = try size("num_attention_heads", "n_head", "num_heads", "attention.head_count")
        let keyHeadNames = [
            "num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "attention.head_count_kv",
        ]
        let keyValueHeads = try optionalSize(keyHeadNames) ?? heads
        guard heads.isMultiple(of: keyValueHeads) else {
            throw error(
                "num_attention_heads", "is \(heads), no multiple of the \(keyValueHeads) key and value heads")
        }
        guard grouped || keyValueHeads == heads else {
            throw error(
                spelling(keyHeadNames),
                "is \(keyValueHeads), not \(heads) as the heads; this family has no grouped heads")
        }
        let stated = try optionalSize([
            "head_dim", "attention_head_dim", "dim_head", "kv_channels", "attention.key_length",
        ])
        if stated == nil, !width.isMultiple(of: heads) {
            throw error(spelling(["hidden_size", "n_embd", "d_model"]), "is \(width), no multiple of \(heads) heads")
        }
        let headWidth = stated ?? width / heads
        // Rows are put in order one by one, so what no model has is refused before it takes memory.
        guard heads * headWidth <= 1 << 20 else {
            throw error("head_dim", "is \(headWidth), too much for \(heads) heads")
        }
        let hiddenKeys = [
            "intermediate_size", "ffn_dim", "dim_ff", "n_inner", "ffn_hidden_size", "feed_forward_length",
        ]
        let hiddenWidth = try optionalSize(hiddenKeys)
        let contextKeys = [
            "max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_sequence_length", "model_max_length",
            "context_length",
        ]
        return Sizes(
            width: width, depth: try depth("num_hidden_layers", "n_layer", "num_layers", "block_count"), heads: heads,
            keyValueHeads: keyValueHeads, headWidth: headWidth,
            hidden: try hiddenWidth ?? hidden?(width) ?? size("intermediate_size", "feed_forward_length"),
            context: try optionalSize(contextKeys) ?? context
                ?? size("max_position_embeddings", "n_positions", "context_length"),
            vocabulary: try rows(ofTensor: "token_embd.weight") ?? size("padded_vocab_size", "vocab_size"))
    }

    package func rms(default other: Double = 1e-6) throws -> NormSpec {
        .rms(
            epsilon: try epsilon(
                "rms_norm_eps", "layernorm_epsilon", "eps", "attention.layer_norm_rms_epsilon", default: other))
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
        _ sizes: Sizes, pairing: RotarySpec.Pairing = .halves, defaultBase: Double = 10_000, turnsParts: Bool = false,
        defaultPart: Double = 1, of layers: RotaryLayers = .all
    ) throws -> RotarySpec {
        try rotary(
            headWidth: sizes.headWidth, pairing: pairing, context: sizes.context, defaultBase: defaultBase,
            turnsParts: turnsParts, defaultPart: defaultPart, of: layers)
    }

    /// How many tokens layers with a window see; GGUF's 0 means that none has one.
    package func window() throws -> Int? {
        if isGGUF, try integer("attention.sliding_window") == 0 { return nil }
        return try optionalSize(["sliding_window", "attention.sliding_window"])
    }

    /// What each layer sees: stated layer by layer, or by a family's rule.
    ///
    /// - Parameter isWindowed: the rule, for a layer's number.
    package func reaches(
        _ sizes: Sizes, window: Int?, isWindowed: (Int) -> Bool
    ) throws -> [AttentionSpec.Reach] {
        let key = "layer_types"
        let stated: [Bool]?
        if isGGUF {
            stated = try bools("attention.sliding_window_pattern")
        } else {
            stated = try strings(key)?.map { type in
                switch type {
                case "full_attention": return false
                case "sliding_attention": return true
                default:
                    throw error(key, "has \"\(type)\"; supported are full_attention and sliding_attention")
                }
            }
        }
        guard stated == nil || stated?.count == sizes.depth else {
            throw error(key, "has \(stated?.count ?? 0) entries for \(sizes.depth) layers")
        }
        return try (stated ?? (0..<sizes.depth).map(isWindowed)).map { isWindowed in
            guard isWindowed else { return .causal }
            guard let window else { throw error("sliding_window", "is missing, and some layers have a window") }
            return .causalWindow(tokens: window)
        }
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

    /// A switch of which only one position is supported.
    package func require(_ key: String, is value: Bool) throws(ModelError) {
        if let stated = try bool(key), stated != value {
            throw error(key, "is \(stated); only \(value) is supported")
        }
    }

    /// A choice of which only one is supported.
    package func require(_ key: String, is value: String) throws(ModelError) {
        if let stated = try string(key), stated != value {
            throw error(key, "is \"\(stated)\"; only \"\(value)\" is supported")
        }
    }

    /// A bias that a configuration states, or that only the tensors of a GGUF file tell of.
    package func bias(_ keys: String..., ggufTensor: String..., default other: Bool = false) throws -> Bool {
        let stated = try keys.map { try bool($0) }.compactMap(\.self).first
        return stated ?? (isGGUF ? ggufTensor.contains(where: hasTensor) : other)
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

extension AttentionSpec {
    /// The same with another reach, and another rotation where this one sees a window only.
    package func reaching(_ reach: Reach, windowed rotary: RotarySpec? = nil) -> AttentionSpec {
        var attention = self
        attention.reach = reach
        if case .causalWindow = reach, let rotary { attention.rotary = rotary }
        return attention
    }
}

extension PositionBias {
    /// 2^(−8i/n) for the i-th of n heads, n a power of two; heads beyond it take every other one of 2n: Press et al. 2021.
    package static func slopes(heads: Int) -> [Float] {
        let whole = 1 << (Int.bitWidth - 1 - heads.leadingZeroBitCount)
        return (1...heads).map { i in
            Float(exp2(i <= whole ? -8 * Double(i) / Double(whole) : -4 * Double(2 * (i - whole) - 1) / Double(whole)))
        }
    }
}

extension WiringSpec {
    /// Norms before both branches.
    package static func before(_ norm: NormSpec) -> WiringSpec { .sequential(NormPlacement(before: norm)) }
}
