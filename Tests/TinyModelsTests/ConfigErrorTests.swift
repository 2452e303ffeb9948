import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyTestSupport

/// One change to a small configuration that must be refused, and what the message must say.
struct BadConfig: Sendable, CustomTestStringConvertible {
    let family: String
    let key: String
    let value: String?
    /// In the message, besides the file.
    let says: [String]
    let others: [String: String]

    init(_ key: String, _ value: String?, _ says: String..., family: String = "llama", others: [String: String] = [:]) {
        (self.key, self.value, self.says, self.family, self.others) = (key, value, says, family, others)
    }

    var testDescription: String { "\(family) \(key) = \(value ?? "missing")" }

    static let sizes = [
        "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings", "intermediate_size",
        "vocab_size",
    ]
    static let gptSizes = ["n_embd", "n_head", "n_layer", "n_positions", "vocab_size"]

    static let all: [BadConfig] =
        sizes.flatMap { key in
            [
                BadConfig(key, nil, key), BadConfig(key, "0", key, "0"), BadConfig(key, "-1", key, "-1"),
                BadConfig(key, "9223372036854775807", key, "9223372036854775807"), BadConfig(key, "2147483648", key),
                BadConfig(key, "\"64\"", key, "string"), BadConfig(key, "1.5", key),
                BadConfig(key, "[1]", key, "array"),
                BadConfig(key, "{}", key, "object"), BadConfig(key, "true", key),
            ]
        }
        + gptSizes.flatMap { key in
            [
                BadConfig(key, nil, key, family: "gpt2"), BadConfig(key, "0", key, "0", family: "gpt2"),
                BadConfig(key, "-1", key, "-1", family: "gpt2"),
                BadConfig(key, "\"x\"", key, "string", family: "gpt2"),
            ]
        }
        + [
            BadConfig("num_key_value_heads", "0", "num_key_value_heads"),
            BadConfig("head_dim", "0", "head_dim"),
            BadConfig("sliding_window", "0", "sliding_window"), BadConfig("sliding_window", "-4", "sliding_window"),
            BadConfig(
                "num_attention_heads", "3", "num_attention_heads", "3", "2", others: ["num_key_value_heads": "2"]),
            BadConfig("head_dim", "7", "7", "even"),
            BadConfig("hidden_act", "\"foo\"", "foo", "silu"), BadConfig("hidden_act", "3", "hidden_act"),
            BadConfig("rms_norm_eps", "\"x\"", "rms_norm_eps"),
            BadConfig("rms_norm_eps", "1e300", "rms_norm_eps"), BadConfig("rms_norm_eps", "-1", "rms_norm_eps"),
            BadConfig("rope_theta", "0", "rope_theta"), BadConfig("rope_theta", "-10000", "rope_theta"),
            BadConfig("rope_theta", "1e39", "rope_theta"), BadConfig("rope_theta", "\"x\"", "rope_theta"),
            BadConfig("rope_scaling", "3", "rope_scaling"),
            BadConfig("rope_scaling", #"{"rope_type": "foo", "factor": 2}"#, "foo", "llama3", "yarn", "longrope"),
            BadConfig("rope_scaling", #"{"rope_type": "longrope", "factor": 2}"#, "longrope", "short_factor"),
            BadConfig("rope_scaling", divisors("[1, 1, 1]", "[1, 1, 1, 1]"), "short_factor", "3", "4"),
            BadConfig("rope_scaling", divisors("[1, 1, 1, 1]", "[1, 1, 0, 1]"), "long_factor"),
            BadConfig("rope_scaling", divisors("[1, 1, 1, 1]", "[1, 1, \"1\", 1]"), "long_factor", "numbers"),
            BadConfig("rope_scaling", divisors("1", "[1, 1, 1, 1]"), "short_factor", "numbers"),
            BadConfig("original_max_position_embeddings", "1", "original", others: ["rope_scaling": fourDivisors]),
            BadConfig("rope_scaling", #"{"type": "linear", "factor": 2}"#, "longrope", family: "phi3"),
            BadConfig("rope_scaling", #"{"rope_type": "longrope", "factor": 2}"#, "longrope", "short_factor"),
            BadConfig("rope_scaling", #"{"rope_type": "other", "factor": 2}"#, "other", "llama3", "yarn"),
            BadConfig(
                "rope_scaling", #"{"rope_type": "longrope", "short_factor": [1], "long_factor": [1, 2, 3, 4]}"#,
                "short_factor", "4 above 0"),
            BadConfig("rope_scaling", #"{"rope_type": "dynamic", "alpha": 0}"#, "alpha"),
            BadConfig("layer_types", #"["full_attention", "full_attention"]"#, "2 entries", family: "gpt_oss"),
            BadConfig("rope_scaling", #"{"type": "linear"}"#, "rope_scaling.factor"),
            BadConfig("rope_scaling", #"{"type": "linear", "factor": 0.5}"#, "rope_scaling.factor"),
            BadConfig("rope_scaling", #"{"type": "linear", "factor": "2"}"#, "rope_scaling.factor"),
            BadConfig("rope_scaling", #"{"type": 7}"#, "rope_scaling.type"),
            BadConfig("rope_scaling", #"{"type": "llama3", "factor": 2}"#, "low_freq_factor"),
            BadConfig(
                "rope_scaling", #"{"type": "llama3", "factor": 2, "low_freq_factor": 4, "high_freq_factor": 4}"#,
                "low_freq_factor"),
            BadConfig(
                "rope_scaling", #"{"type": "yarn", "factor": 2, "original_max_position_embeddings": 0}"#,
                "original_max_position_embeddings"),
            BadConfig("rope_scaling", #"{"type": "yarn", "factor": 2, "beta_fast": 0}"#, "beta_fast"),
            BadConfig("rope_scaling", #"{"type": "yarn", "factor": 2, "beta_slow": -1}"#, "beta_slow"),
            BadConfig("attention_bias", "1", "attention_bias"), BadConfig("mlp_bias", "\"no\"", "mlp_bias"),
            BadConfig("tie_word_embeddings", "0", "tie_word_embeddings"),
            BadConfig("num_local_experts", "8", "num_local_experts", "mixtures"),
            BadConfig("num_experts", nil, "num_experts", family: "qwen3_moe"),
            BadConfig("num_experts", "2000", "1024", family: "qwen3_moe", others: ["num_experts_per_tok": "2"]),
            BadConfig(
                "num_experts", "1000", "32768", family: "qwen3_moe",
                others: ["num_experts_per_tok": "2", "num_hidden_layers": "100"]),
            BadConfig("num_experts_per_tok", "5", "5", "4", family: "qwen3_moe", others: ["num_experts": "4"]),
            BadConfig(
                "mlp_only_layers", "[true]", "mlp_only_layers", family: "qwen3_moe",
                others: ["num_experts": "4", "num_experts_per_tok": "2"]),
            BadConfig(
                "n_group", "3", "n_group", family: "glm4_moe",
                others: ["n_routed_experts": "4", "num_experts_per_tok": "2"]),
            BadConfig("use_cla", "true", "use_cla", family: "hunyuan_v1_moe"),
            BadConfig("use_mla", "true", "use_mla", family: "hunyuan_v1_moe"),
            BadConfig(
                "moe_topk", "[1, 1]", "moe_topk", "2 elements", family: "hunyuan_v1_moe", others: ["num_experts": "4"]),
            BadConfig("moe_topk", "[9]", "9", "4 experts", family: "hunyuan_v1_moe", others: ["num_experts": "4"]),
            BadConfig(
                "moe_gate", "\"hash\"", "moe_gate", "hash", family: "ernie4_5_moe",
                others: ["num_experts": "4", "num_experts_per_tok": "2"]),
            BadConfig(
                "quantization_config", #"{"quant_method": "gptq"}"#, "quant_method", "gptq", family: "gpt_oss",
                others: ["num_experts": "4", "num_experts_per_tok": "2"]),
            BadConfig("mask_modules", "[[true]]", "mask_modules", family: "cpmbee"),
            BadConfig("mask_modules", "[1]", "mask_modules", family: "cpmbee"),
            BadConfig("position_bias_num_buckets", "7", "position_bias_num_buckets", family: "cpmbee"),
            BadConfig("segment_types", "2", "segment_types", family: "cpmant"),
            BadConfig("scale_depth", "null", "scale_depth", family: "minicpm"),
            BadConfig("sparse_config", "{}", "sparse", family: "minicpm"),
            BadConfig(
                "kv_lora_rank", nil, "kv_lora_rank", family: "minicpm3",
                others: ["qk_rope_head_dim": "4", "qk_nope_head_dim": "4", "num_key_value_heads": "2"]),
            BadConfig(
                "v_head_dim", "9", "9", family: "minicpm3",
                others: ["qk_rope_head_dim": "4", "qk_nope_head_dim": "4", "num_key_value_heads": "2"]),
            BadConfig("n_head", "3", "16", "3", family: "gpt2"),
            BadConfig("n_inner", "0", "n_inner", family: "gpt2"),
            BadConfig("activation_function", "\"foo\"", "activation_function", "foo", family: "gpt2"),
            BadConfig("layer_norm_epsilon", "-1", "layer_norm_epsilon", family: "gpt2"),
            BadConfig("scale_attn_weights", "1", "scale_attn_weights", family: "gpt2"),
            BadConfig("layer_types", "[]", "layer_types", "0", "1", family: "gemma2"),
            BadConfig("layer_types", #"["chunked_attention"]"#, "chunked_attention", family: "gemma2"),
            BadConfig("layer_types", #"[1]"#, "layer_types", "strings", family: "gemma2"),
            BadConfig("sliding_window", "null", "sliding_window", family: "gemma2"),
            BadConfig("attn_logit_softcapping", "0", "attn_logit_softcapping", "above 0", family: "gemma2"),
            BadConfig("query_pre_attn_scalar", "-1", "query_pre_attn_scalar", "above 0", family: "gemma2"),
            BadConfig("use_bidirectional_attention", "true", "use_bidirectional_attention", family: "gemma3_text"),
            BadConfig("text_config", "3", "text_config", family: "gemma3"),
            BadConfig("rope_ratio", "1e-4", "rope_ratio", family: "glm"),
            BadConfig("post_layer_norm", "false", "post_layer_norm", "true", family: "chatglm"),
            BadConfig("add_bias_linear", "true", "add_bias_linear", "false", family: "chatglm"),
            BadConfig("use_mrope", "true", "use_mrope", family: "qwen2"),
            BadConfig("lm_head_bias", "true", "lm_head_bias", family: "phi3"),
            BadConfig("use_cla", "true", "use_cla", family: "hunyuan_v1_dense"),
            BadConfig("norm_type", #""layer""#, "norm_type", "rms", family: "hunyuan_v1_dense"),
            BadConfig("attention_head_dim", "4", "attention_head_dim", "8", family: "hunyuan_v1_dense"),
            BadConfig(
                "rope_scaling", #"{"type": "dynamic", "factor": 1, "alpha": 1e38}"#, "alpha",
                family: "hunyuan_v1_dense"),
            BadConfig("gate_attn_act_mode", #""tanh""#, "gate_attn_act_mode", "sigmoid", family: "spark2_5"),
        ]

    static let fourDivisors = divisors("[1, 1, 1, 1]", "[1, 1, 1, 1]")

    private static func divisors(_ short: String, _ long: String) -> String {
        #"{"type": "su", "short_factor": \#(short), "long_factor": \#(long)}"#
    }
}

@Suite("Configurations that are refused")
struct ConfigErrorTests {
    @Test(arguments: BadConfig.all) func refused(_ bad: BadConfig) {
        var changes: [String: String?] = bad.others.mapValues { .some($0) }
        changes[bad.key] = .some(bad.value)
        let json = tinyConfig(changes, family: bad.family)
        let error = #expect(throws: ModelError.self) { _ = try readSpec(json) }
        let message = "\(error.map { "\($0)" } ?? "")"
        #expect(message.hasPrefix("config.json: "))
        for word in bad.says { #expect(message.contains(word), "\(message)") }
    }

    /// Numbers that are each allowed, but not together, are reported too: nothing traps, and nothing is reserved for
    /// two thousand million layers.
    @Test(arguments: [
        ["num_hidden_layers": "2147483647"],
        ["num_attention_heads": "2147483647", "num_key_value_heads": "1", "head_dim": "2147483646"],
        ["num_attention_heads": "2147483647", "num_key_value_heads": "2147483647", "head_dim": "2147483646"],
        ["hidden_size": "2147483647", "intermediate_size": "2147483647", "vocab_size": "2147483647"],
    ]) func monstrous(_ sizes: [String: String]) throws {
        let folder = TemporaryFolder()
        folder.write("config.json", tinyConfig(sizes.mapValues { .some($0) }))
        var file = SafetensorsBytes()
        file.add("model.norm.weight", [16], floats: [Float](repeating: 1, count: 16))
        folder.write("model.safetensors", file.written())
        let start = threadMilliseconds()
        #expect(throws: ModelError.self) { _ = try Model(at: folder.path) }
        let inspection = Inspection(checkpoint: try Checkpoint(path: folder.path))
        #expect(!inspection.warnings.isEmpty)
        #expect(threadMilliseconds() - start < 1000)
    }

    @Test func unknownFamily() throws {
        let folder = TemporaryFolder()
        folder.write("config.json", #"{"model_type": "mamba"}"#)
        folder.write("model.safetensors", SafetensorsBytes().written())
        let error = #expect(throws: ModelError.self) { _ = try Model(at: folder.path) }
        let message = "\(error.map { "\($0)" } ?? "")"
        for word in ["config.json", "mamba", "llama", "mistral", "gpt2"] { #expect(message.contains(word)) }
    }

    @Test(arguments: [#"{}"#, #"{"model_type": null}"#, #"{"model_type": 3}"#])
    func noFamily(_ json: String) throws {
        let folder = TemporaryFolder()
        folder.write("config.json", json)
        folder.write("model.safetensors", SafetensorsBytes().written())
        let error = #expect(throws: ModelError.self) { _ = try Model(at: folder.path) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("model_type"))
    }

    @Test func noConfig() throws {
        let folder = TemporaryFolder()
        folder.write("model.safetensors", SafetensorsBytes().written())
        let error = #expect(throws: FormatError.self) { _ = try Model(at: folder.path) }
        #expect(error?.kind == .missing)
        #expect("\(error.map { "\($0)" } ?? "")".contains("config.json"))
    }
}

@Suite("GGUF metadata that is refused")
struct GGUFErrorTests {
    private func metadata(_ changes: [(String, GGUFBytes.Value?)] = []) -> GGUFBytes {
        var values: [(String, GGUFBytes.Value)] = [
            ("general.architecture", .string("llama")), ("llama.embedding_length", .uint32(16)),
            ("llama.block_count", .uint32(1)), ("llama.attention.head_count", .uint32(2)),
            ("llama.feed_forward_length", .uint32(24)), ("llama.context_length", .uint32(64)),
            ("llama.attention.layer_norm_rms_epsilon", .float32(1e-5)), ("llama.vocab_size", .uint32(20)),
        ]
        for (key, value) in changes {
            values.removeAll { $0.0 == key }
            if let value { values.append((key, value)) }
        }
        var file = GGUFBytes()
        for (key, value) in values { file.add(key, value) }
        return file
    }

    private func message(_ file: GGUFBytes) -> String {
        let folder = TemporaryFolder()
        let path = folder.write("model.gguf", file.written().bytes)
        let error = #expect(throws: ModelError.self) { _ = try Model(at: path) }
        let message = "\(error.map { "\($0)" } ?? "")"
        #expect(message.hasPrefix(path))
        return message
    }

    @Test func architecture() {
        #expect(message(metadata([("general.architecture", nil)])).contains("general.architecture"))
        let unknown = message(metadata([("general.architecture", .string("mamba"))]))
        #expect(unknown.contains("mamba") && unknown.contains("llama"))
    }

    @Test func experts() {
        #expect(message(metadata([("llama.expert_count", .uint32(8))])).contains("expert_used_count"))
    }

    /// The epsilon that a `config.json` may leave out is always in a GGUF file.
    @Test func epsilon() {
        #expect(message(metadata([("llama.attention.layer_norm_rms_epsilon", nil)])).contains("layer_norm_rms_epsilon"))
    }

    /// Spellings of linear scaling: with a type, with a factor alone, and with the factor's old key.
    @Test func linearScaling() throws {
        let factor = GGUFBytes.Value.float32(2)
        for changes in [
            [("llama.rope.scaling.type", .string("linear")), ("llama.rope.scaling.factor", factor)],
            [("llama.rope.scaling.factor", factor)], [("llama.rope.scale_linear", factor)],
        ] {
            let folder = TemporaryFolder()
            let path = folder.write("scaled.gguf", metadata(changes).written().bytes)
            let recipe = try Recipe(checkpoint: Checkpoint(path: path))
            #expect(recipe.spec.layers[0].attention.rotary?.scaling == .linear(factor: 2))
            #expect(recipe.warnings(recipe.binder(), nil) == [])
        }
    }

    @Test func keys() {
        for key in ["embedding_length", "block_count", "attention.head_count", "feed_forward_length", "context_length"]
        {
            #expect(message(metadata([("llama." + key, nil)])).contains(key))
            #expect(message(metadata([("llama." + key, .string("x"))])).contains(key))
            #expect(message(metadata([("llama." + key, .uint32(0))])).contains(key))
            #expect(message(metadata([("llama." + key, .int64(-5))])).contains(key))
            #expect(message(metadata([("llama." + key, .uint64(.max))])).contains(key))
        }
        #expect(message(metadata([("llama.attention.head_count_kv", .uint32(0))])).contains("head_count_kv"))
        #expect(message(metadata([("llama.rope.dimension_count", .uint32(7))])).contains("rope.dimension_count"))
        #expect(message(metadata([("llama.rope.scaling.type", .string("longrope"))])).contains("longrope"))
        // One number a layer is what other families write; it must not be taken for one number.
        #expect(
            message(metadata([("llama.attention.head_count", .integers([2, 4]))])).contains("attention.head_count"))
    }

    @Test func divisors() {
        for values in [[Float](repeating: 1, count: 3), [1, 1, 0, 1], [1, -1, 1, 1], [1, .nan, 1, 1]] {
            var file = metadata()
            file.tensors.append(
                GGUFBytes.Tensor(
                    "rope_freqs.weight", [UInt64(values.count)],
                    data: values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian) { Array($0) } }))
            #expect(message(file).contains("rope_freqs.weight"))
        }
    }
}
