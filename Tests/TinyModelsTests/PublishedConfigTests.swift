import Testing
import TinyJSON
import TinyLayers
import TinyLoader
import TinyModels

/// A configuration read without weights: the spec, and the keys nobody read.
func readSpec(_ json: String, _ index: TensorIndex = TensorIndex()) throws -> (spec: ModelSpec, unread: [String]) {
    let object = try #require(try JSON(parsing: Array(json.utf8)).object)
    let reader = ConfigReader(object, file: "config.json", tensors: index)
    let architectures = try reader.strings("architectures") ?? []
    let type = try reader.string("model_type")
    let family = try #require(type.map(Families.named(modelType:)) ?? Families.named(architectures: architectures))
    let spec = try family.spec(reader)
    reader.ignoreHarmless()
    return (spec, reader.unread)
}

/// Configurations as their makers published them, and the numbers their papers and cards give.
@Suite("Published configurations")
struct PublishedConfigTests {
    @Test func smolLM2() throws {
        let (spec, unread) = try readSpec(
            """
            {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
             "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 576,
             "initializer_range": 0.041666666666666664, "intermediate_size": 1536, "is_llama_config": true,
             "max_position_embeddings": 8192, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 9,
             "num_hidden_layers": 30, "num_key_value_heads": 3, "pad_token_id": 2, "pretraining_tp": 1,
             "rms_norm_eps": 1e-05, "rope_interleaved": false, "rope_scaling": null, "rope_theta": 100000,
             "tie_word_embeddings": true, "torch_dtype": "bfloat16",
             "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16", "fp16": "float16"}},
             "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 49152}
            """)
        #expect(unread == [])
        #expect(
            spec
                == llama(
                    vocabulary: 49152, width: 576, context: 8192, depth: 30, heads: 9, keyValueHeads: 3, headWidth: 64,
                    base: 100_000, hidden: 1536, head: .tied))
    }

    @Test func tinyLlama() throws {
        let (spec, unread) = try readSpec(
            """
            {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "bos_token_id": 1, "eos_token_id": 2,
             "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 5632,
             "max_position_embeddings": 2048, "model_type": "llama", "num_attention_heads": 32,
             "num_hidden_layers": 22, "num_key_value_heads": 4, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
             "rope_scaling": null, "rope_theta": 10000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
             "transformers_version": "4.35.0", "use_cache": true, "vocab_size": 32000}
            """)
        #expect(unread == [])
        #expect(
            spec
                == llama(
                    vocabulary: 32000, width: 2048, context: 2048, depth: 22, heads: 32, keyValueHeads: 4,
                    headWidth: 64, base: 10_000, hidden: 5632, head: .own))
    }

    @Test func llama2() throws {
        let (spec, unread) = try readSpec(
            """
            {"_name_or_path": "meta-llama/Llama-2-7b-hf", "architectures": ["LlamaForCausalLM"], "bos_token_id": 1,
             "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
             "intermediate_size": 11008, "max_position_embeddings": 4096, "model_type": "llama",
             "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32, "pretraining_tp": 1,
             "rms_norm_eps": 1e-05, "rope_scaling": null, "tie_word_embeddings": false, "torch_dtype": "float16",
             "transformers_version": "4.31.0.dev0", "use_cache": true, "vocab_size": 32000}
            """)
        #expect(unread == [])
        #expect(
            spec
                == llama(
                    vocabulary: 32000, width: 4096, context: 4096, depth: 32, heads: 32, keyValueHeads: 32,
                    headWidth: 128, base: 10_000, hidden: 11008, head: .own))
    }

    @Test func llama32() throws {
        let (spec, unread) = try readSpec(
            """
            {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
             "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu",
             "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
             "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32,
             "num_hidden_layers": 16, "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
             "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                              "original_max_position_embeddings": 8192, "rope_type": "llama3"},
             "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
             "transformers_version": "4.45.0.dev0", "use_cache": true, "vocab_size": 128256}
            """)
        #expect(unread == [])
        #expect(
            spec
                == llama(
                    vocabulary: 128256, width: 2048, context: 131072, depth: 16, heads: 32, keyValueHeads: 8,
                    headWidth: 64, base: 500_000,
                    scaling: .byWavelength(factor: 32, lowFactor: 1, highFactor: 4, originalContext: 8192),
                    hidden: 8192, head: .tied))
    }

    private static let mistral = """
        {"architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
         "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
         "max_position_embeddings": 32768, "model_type": "mistral", "num_attention_heads": 32,
         "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "tie_word_embeddings": false,
         "torch_dtype": "bfloat16", "use_cache": true,
        """

    @Test func mistralWithWindow() throws {
        let (spec, unread) = try readSpec(
            Self.mistral
                + #""rope_theta": 10000.0, "sliding_window": 4096, "transformers_version": "4.34.0.dev0", "vocab_size": 32000}"#
        )
        #expect(unread == [])
        #expect(
            spec
                == llama(
                    vocabulary: 32000, width: 4096, context: 32768, depth: 32, heads: 32, keyValueHeads: 8,
                    headWidth: 128, base: 10_000, hidden: 14336, head: .own, reach: .causalWindow(tokens: 4096)))
    }

    @Test func mistralWithout() throws {
        let (spec, unread) = try readSpec(
            Self.mistral
                + #""rope_theta": 1000000.0, "sliding_window": null, "attention_dropout": 0.0, "transformers_version": "4.42.0.dev0", "vocab_size": 32768}"#
        )
        #expect(unread == [])
        #expect(
            spec
                == llama(
                    vocabulary: 32768, width: 4096, context: 32768, depth: 32, heads: 32, keyValueHeads: 8,
                    headWidth: 128, base: 1_000_000, hidden: 14336, head: .own))
    }

    @Test func gpt2() throws {
        let (spec, unread) = try readSpec(
            """
            {"activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
             "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
             "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12,
             "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1, "summary_activation": null,
             "summary_first_dropout": 0.1, "summary_proj_to_labels": true, "summary_type": "cls_index",
             "summary_use_proj": true, "task_specific_params": {"text-generation": {"do_sample": true,
             "max_length": 50}}, "vocab_size": 50257}
            """)
        #expect(unread == [])
        #expect(spec == gpt2(width: 768, depth: 12, heads: 12))
    }

    @Test func gpt2Medium() throws {
        let (spec, unread) = try readSpec(
            """
            {"activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
             "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
             "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 1024, "n_head": 16,
             "n_layer": 24, "n_positions": 1024, "n_special": 0, "predict_special_tokens": true, "resid_pdrop": 0.1,
             "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true,
             "summary_type": "cls_index", "summary_use_proj": true, "task_specific_params": {"text-generation":
             {"do_sample": true, "max_length": 50}}, "vocab_size": 50257}
            """)
        #expect(unread == [])
        #expect(spec == gpt2(width: 1024, depth: 24, heads: 16))
    }

    private func llama(
        vocabulary: Int, width: Int, context: Int, depth: Int, heads: Int, keyValueHeads: Int, headWidth: Int,
        base: Double, scaling: RotarySpec.Scaling = .none, hidden: Int, head: HeadSpec.Weight,
        reach: AttentionSpec.Reach = .causal
    ) -> ModelSpec {
        let norm = NormSpec.rms(epsilon: 1e-5)
        let layer = LayerSpec(
            wiring: .sequential(attention: NormPlacement(before: norm), feedForward: NormPlacement(before: norm)),
            attention: AttentionSpec(
                heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth,
                scale: 1 / Float(headWidth).squareRoot(),
                rotary: RotarySpec(width: headWidth, pairing: .halves, base: base, scaling: scaling), reach: reach,
                inputBias: false, outputBias: false),
            feedForward: .dense(NetworkSpec(form: .gated, hidden: hidden, activation: .silu, bias: false)))
        return ModelSpec(
            vocabulary: vocabulary, width: width, context: context, stem: .tokens(TokenStemSpec()),
            layers: Array(repeating: layer, count: depth), finalNorm: norm, head: HeadSpec(weight: head))
    }

    private func gpt2(width: Int, depth: Int, heads: Int) -> ModelSpec {
        let norm = NormSpec.layer(epsilon: 1e-5, bias: true)
        let layer = LayerSpec(
            wiring: .sequential(attention: NormPlacement(before: norm), feedForward: NormPlacement(before: norm)),
            attention: AttentionSpec(
                heads: heads, keyValueHeads: heads, headWidth: 64, scale: 0.125, rotary: nil, inputBias: true,
                outputBias: true),
            feedForward: .dense(NetworkSpec(form: .plain, hidden: 4 * width, activation: .geluTanh, bias: true)))
        return ModelSpec(
            vocabulary: 50257, width: width, context: 1024,
            stem: .tokens(TokenStemSpec(positions: .learned(rows: 1024))),
            layers: Array(repeating: layer, count: depth), finalNorm: norm, head: HeadSpec(weight: .tied))
    }
}

@Suite("The configuration reader")
struct ConfigReaderTests {
    /// Keys nobody asked for are named, nested ones with where they stand; null is no value.
    @Test func unreadKeys() throws {
        let (_, unread) = try readSpec(
            tinyConfig(
                [
                    "use_qk_norm": "true", "logit_scale": "null",
                    "rope_scaling": #"{"type": "linear", "factor": 2, "mystery": 3}"#,
                ]
            ))
        #expect(unread == ["use_qk_norm", "rope_scaling.mystery"])
    }

    /// The spelling of transformers 5 and the older one, and a factor given as a whole number.
    @Test func spellingsOfScaling() throws {
        let nested = try readSpec(
            tinyConfig(["rope_parameters": #"{"rope_type": "linear", "factor": 4, "rope_theta": 5000}"#]))
        let old = try readSpec(
            tinyConfig(["rope_scaling": #"{"type": "linear", "factor": 4.0}"#, "rope_theta": "5000.0"]))
        #expect(nested.spec == old.spec)
        #expect(nested.unread == [] && old.unread == [])
        #expect(nested.spec.layers[0].attention.rotary?.scaling == .linear(factor: 4))
        #expect(nested.spec.layers[0].attention.rotary?.base == 5000)
    }

    /// Leftovers of other families, which the reference's class does not heed: no window but Mistral's, no part of a head.
    @Test func leftovers() throws {
        let (part, unread) = try readSpec(tinyConfig(["partial_rotary_factor": "0.5"]))
        #expect(part.layers[0].attention.rotary?.width == 8 && unread == ["partial_rotary_factor"])
        let window = try readSpec(tinyConfig(["sliding_window": "4"]))
        #expect(window.spec.layers[0].attention.reach == .causal && window.unread == [])
        let mistral = try readSpec(tinyConfig(["sliding_window": "4"], family: "mistral"))
        #expect(mistral.spec.layers[0].attention.reach == .causalWindow(tokens: 4))
    }

    /// What the reference's classes take where a configuration says nothing.
    @Test func defaults() throws {
        #expect(try readSpec(tinyConfig(["rms_norm_eps": nil])).spec.finalNorm == .rms(epsilon: 1e-6))
        let gpt2 = try readSpec(tinyConfig(["layer_norm_epsilon": nil], family: "gpt2"))
        #expect(gpt2.spec.finalNorm == .layer(epsilon: 1e-5, bias: true))
    }

    @Test func yarn() throws {
        let (spec, unread) = try readSpec(
            tinyConfig([
                "rope_scaling":
                    #"{"rope_type": "yarn", "factor": 4, "beta_fast": 16, "beta_slow": 2, "truncate": false, "attention_factor": 1.5, "original_max_position_embeddings": 16}"#
            ]))
        #expect(unread == [])
        #expect(
            spec.layers[0].attention.rotary?.scaling
                == .yarn(
                    factor: 4, fastRotations: 16, slowRotations: 2, originalContext: 16, rounds: false, magnitude: 1.5))
    }
}

/// A small configuration with some keys replaced by other JSON, or left out for nil.
func tinyConfig(_ changes: [String: String?] = [:], family: String = "llama") -> String {
    var members: [String: String?] =
        family == "gpt2"
        ? [
            "model_type": "\"gpt2\"", "n_embd": "16", "n_head": "2", "n_layer": "1", "n_positions": "32",
            "vocab_size": "20", "layer_norm_epsilon": "1e-5",
        ]
        : [
            "model_type": "\"\(family)\"", "hidden_size": "16", "num_hidden_layers": "1", "num_attention_heads": "2",
            "num_key_value_heads": "1", "intermediate_size": "24", "max_position_embeddings": "64",
            "rms_norm_eps": "1e-5", "vocab_size": "20",
        ]
    for (key, value) in changes { members[key] = .some(value) }
    return "{"
        + members.sorted { $0.key < $1.key }.compactMap { k, v in v.map { "\"\(k)\": \($0)" } }.joined(separator: ", ")
        + "}"
}
