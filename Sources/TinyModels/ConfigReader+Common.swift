package import TinyLayers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which of a model's layers a rotation is for.
package enum RotaryLayers {
    case all
    /// Those that see everything before them, where those with a window turn otherwise.
    case unlimited
    case windowed
}

// What most families' configurations have in common.
extension ConfigReader {
    /// - Parameter key: the only key to look at, where a family has one of its own.
    package func activation(
        _ key: String? = nil, default other: NetworkSpec.Activation
    ) throws(ModelError) -> NetworkSpec.Activation {
        let keys = key.map { [$0] } ?? ["hidden_act", "activation_function", "hidden_activation", "activation"]
        guard let name = try string(keys) else { return other }
        switch name {
        case "silu", "swish": return .silu
        case "gelu": return .gelu
        case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": return .geluTanh
        case "quick_gelu": return .geluQuick
        case "relu": return .relu
        default:
            throw error(
                spelling(keys),
                "is \"\(name)\"; supported are silu, gelu, gelu_new, gelu_pytorch_tanh, quick_gelu and relu")
        }
    }

    /// The rotation of a family that turns whole heads or a part of them, in every spelling of its scaling.
    ///
    /// - Parameters:
    ///   - context: positions the model was made for, the original context where none is given.
    ///   - turnsParts: whether the family heeds `partial_rotary_factor`.
    ///   - defaultPart: the part that turns where nothing is said.
    ///   - layers: which layers are meant, where some have a rotation of their own.
    package func rotary(
        headWidth: Int, pairing: RotarySpec.Pairing, context: Int, defaultBase: Double = 10_000,
        turnsParts: Bool = false, defaultPart: Double = 1, of layers: RotaryLayers = .all
    ) throws -> RotarySpec {
        // `rope_parameters` (transformers 5) holds base and scaling; before it, the base stood outside.
        let outer = try object("rope_parameters", "rope_scaling")
        let nested =
            switch layers {
            case .all: outer
            case .unlimited: try outer?.object("full_attention") ?? outer
            case .windowed: try outer?.object("sliding_attention")
            }
        let isWindowed = layers == .windowed
        var fraction = defaultPart
        if turnsParts {
            let outside = try optionalNumber("partial_rotary_factor")
            fraction = try nested?.optionalNumber("partial_rotary_factor") ?? outside ?? defaultPart
        }
        guard fraction > 0, fraction <= 1 else {
            throw error("partial_rotary_factor", "is \(fraction); a number above 0, at most 1, is expected")
        }
        let width =
            try optionalSize([isWindowed ? "rope.dimension_count_swa" : "rope.dimension_count"])
            ?? Int(Double(headWidth) * fraction)
        guard width > 0, width <= headWidth, width.isMultiple(of: 2) else {
            throw error(
                "rope.dimension_count",
                "makes \(width) of \(headWidth) elements of a head turn; an even number is expected")
        }
        let outside =
            try isWindowed
            ? optionalNumber("rope_local_base_freq", "rope.freq_base_swa")
            : optionalNumber("rope_theta", "rope.freq_base")
        let base = try nested?.optionalNumber("rope_theta") ?? outside ?? defaultBase
        guard base > 1 else { throw error("rope_theta", "is \(base); a number above 1 is expected") }
        // A factor of the base itself, once and for all, also goes by the name of "dynamic".
        if let nested, try nested.string("rope_type", "type") == "dynamic",
            let alpha = try nested.optionalNumber("alpha")
        {
            guard alpha >= 1, width > 2 else {
                throw nested.error("alpha", "is \(alpha) for \(width) elements that turn; at least 1 for 4 is expected")
            }
            nested.ignore(["factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim"])
            let stretched = Double(Float(base * pow(alpha, Double(width) / Double(width - 2))))
            guard stretched.isFinite else { throw nested.error("alpha", "is \(alpha), too much for \(base)") }
            return RotarySpec(width: width, pairing: pairing, base: stretched, scaling: .none)
        }
        // What stands outside about scaling is not of layers with a window.
        let scaling =
            try isWindowed && nested == nil
            ? .none : scaling(nested ?? self, width: width, context: context)
        return RotarySpec(width: width, pairing: pairing, base: base, scaling: scaling)
    }

    private func scaling(_ values: ConfigReader, width: Int, context: Int) throws -> RotarySpec.Scaling {
        if let divisors = try floats(ofTensor: "rope_freqs.weight") {
            guard divisors.count == width / 2, divisors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
                throw ModelError(file: file, "tensor \"rope_freqs.weight\" should hold \(width / 2) positive numbers")
            }
            let type = try values.string("rope.scaling.type") ?? "none"
            guard type == "none" || type == "linear" else {
                throw values.error(
                    "rope.scaling.type", "is \"\(type)\" beside rope_freqs.weight; only linear is supported there")
            }
            let factor = try values.optionalNumber("rope.scaling.factor", "rope.scale_linear") ?? 1
            guard factor >= 1 else {
                throw values.error("rope.scaling.factor", "is \(factor); a factor from 1 on is expected")
            }
            return .perFrequency(divisors: divisors.map { $0 * Float(factor) }, magnitude: 1)
        }
        let factors = ["rope_factors_short.weight", "rope_factors_long.weight"]
        if factors.contains(where: hasTensor) {
            guard let short = try floats(ofTensor: factors[0]), let long = try floats(ofTensor: factors[1]) else {
                throw ModelError(file: file, "of the tensors \"\(factors[0])\" and \"\(factors[1])\" one is missing")
            }
            let type = try values.string("rope.scaling.type") ?? "none"
            guard type == "none" || type == "longrope" else {
                throw values.error("rope.scaling.type", "is \"\(type)\" beside rope_factors_long.weight")
            }
            return try byLength(values, short: short, long: long, width: width, context: context)
        }
        // A GGUF file with a factor and no type means linear; the factor's old key is rope.scale_linear.
        let hasFactor = (try values.optionalNumber("rope.scaling.factor", "rope.scale_linear") ?? 1) > 1
        let type = try values.string("rope_type", "type", "rope.scaling.type") ?? (hasFactor ? "linear" : "default")
        func factor() throws(ModelError) -> Double {
            let factor = try values.number("factor", "rope.scaling.factor", "rope.scale_linear")
            guard factor >= 1 else { throw values.error("factor", "is \(factor); a factor from 1 on is expected") }
            return factor
        }
        func original() throws(ModelError) -> Int { try originalContext(values) ?? context }
        switch type {
        case "default", "none": return .none
        case "longrope", "su":
            guard let short = try values.numbers("short_factor"), let long = try values.numbers("long_factor") else {
                throw values.error("short_factor", "and long_factor are needed for \"\(type)\"")
            }
            return try byLength(values, short: short, long: long, width: width, context: context)
        case "linear": return .linear(factor: try factor())
        case "dynamic": return .dynamic(factor: try factor(), originalContext: context)
        case "llama3":
            let (low, high) = (try values.number("low_freq_factor"), try values.number("high_freq_factor"))
            guard low < high else {
                throw values.error("low_freq_factor", "is \(low), and not below high_freq_factor \(high)")
            }
            return .byWavelength(
                factor: try factor(), lowFactor: low, highFactor: high, originalContext: try original())
        case "yarn":
            let factor = try factor()
            let fast = try values.optionalNumber("beta_fast", "rope.scaling.yarn_beta_fast") ?? 32
            let slow = try values.optionalNumber("beta_slow", "rope.scaling.yarn_beta_slow") ?? 1
            guard slow > 0, fast > 0 else {
                throw values.error(slow > 0 ? "beta_fast" : "beta_slow", "is not above 0, as a number of turns is")
            }
            return .yarn(
                factor: factor, fastRotations: fast, slowRotations: slow,
                originalContext: try original(), rounds: try values.bool("truncate") ?? true,
                magnitude: try values.yarnMagnitude(factor: factor))
        default:
            throw values.error(
                "rope_type", "is \"\(type)\"; supported are default, linear, dynamic, llama3, yarn and longrope")
        }
    }

    /// The context a model was first trained for: what stands outside counts more than what stands beside a scaling.
    private func originalContext(_ values: ConfigReader) throws(ModelError) -> Int? {
        let nested = try values.optionalSize([
            "original_max_position_embeddings", "rope.scaling.original_context_length",
        ])
        return try optionalSize(["original_max_position_embeddings"]) ?? nested
    }

    /// Divisors for short and for long texts: LongRoPE.
    private func byLength(
        _ values: ConfigReader, short: [Float], long: [Float], width: Int, context: Int
    ) throws -> RotarySpec.Scaling {
        for (name, divisors) in [("short_factor", short), ("long_factor", long)] {
            guard divisors.count == width / 2, divisors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
                throw values.error(name, "holds \(divisors.count) numbers; \(width / 2) above 0 are expected")
            }
        }
        let original = try originalContext(values) ?? context
        guard original > 1 else { throw values.error("original_max_position_embeddings", "is \(original)") }
        let factor = try values.positive("factor") ?? Double(context) / Double(original)
        let usual = factor <= 1 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot()
        let magnitude = try values.positive("attention_factor", "rope.scaling.attn_factor") ?? Double(Float(usual))
        return .byLength(short: short, long: long, originalContext: original, magnitude: magnitude)
    }

    /// What YaRN multiplies cosines and sines by: given, or from the factor.
    private func yarnMagnitude(factor: Double) throws(ModelError) -> Double {
        func magnitude(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1 }
        let (scale, scaleAll) = (try optionalNumber("mscale"), try optionalNumber("mscale_all_dim"))
        if let given = try optionalNumber("attention_factor") { return given }
        if let scale, let scaleAll, scale != 0, scaleAll != 0 { return magnitude(scale) / magnitude(scaleAll) }
        // GGUF holds a factor on top of the one that follows from the scaling.
        return magnitude(1) * (try optionalNumber("rope.scaling.attn_factor") ?? 1)
    }

    /// Switches for what is not supported, which must be off.
    package func refuse(_ switches: [String]) throws {
        for key in switches where try bool(key) == true { throw error(key, "is true; this is not supported") }
    }

    /// Marks as read what every configuration may hold and no computation needs.
    package func ignoreHarmless() {
        ignore([
            "_name_or_path", "architectures", "model_type", "torch_dtype", "dtype", "transformers_version", "use_cache",
            "auto_map", "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id",
            "tokenizer_class",
            "initializer_range", "attention_dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop", "hidden_dropout",
            "output_attentions", "output_hidden_states", "return_dict", "gradient_checkpointing", "is_decoder",
            "task_specific_params", "chunk_size_feed_forward", "add_cross_attention", "cross_attention_hidden_size",
            "tie_encoder_decoder", "id2label", "label2id", "problem_type", "finetuning_task", "_attn_implementation",
            "is_llama_config", "rope_interleaved", "transformers.js_config",  // notes of SmolLM2's makers
            // Defaults of generation, which older libraries wrote into every configuration.
            "bad_words_ids", "begin_suppress_tokens", "decoder_start_token_id", "diversity_penalty", "do_sample",
            "early_stopping", "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty",
            "forced_bos_token_id", "forced_eos_token_id", "is_encoder_decoder", "length_penalty", "max_length",
            "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences",
            "output_scores", "prefix", "pruned_heads", "remove_invalid_values", "repetition_penalty",
            "return_dict_in_generate", "suppress_tokens", "temperature", "tf_legacy_loss", "top_k", "top_p",
            "torchscript", "typical_p", "use_bfloat16",
            "attn_implementation", "cache_implementation", "classifier_dropout", "residual_dropout",
            // GGUF: both follow from what is read, and files differ in whether they hold them.
            "attention.value_length", "vocab_size",
            "tensor_data_layout",  // which converter put the rows in order
        ])
    }
}
