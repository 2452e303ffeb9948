import TinyLayers

/// LLaMA 1 to 3, and all that copied its shape: SmolLM2, Mistral, TinyLlama, InternLM 3, and Mixtral with experts.
///
/// Touvron et al. 2023, arXiv:2302.13971; grouped heads from LLaMA 2, arXiv:2307.09288; Mistral's window,
/// arXiv:2310.06825; Mixtral's experts, arXiv:2401.04088
enum LLaMA: Family {
    static let name = "LLaMA"
    static let modelTypes = ["llama", "mistral", "mixtral", "internlm3"]
    static let ggufArchitectures = ["llama"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let type = try config.string("model_type")
        // InternLM 3 has one switch for biases of queries, keys and values, and one for all others.
        let isSplit = type == "internlm3"
        if isSplit { config.assume(["num_key_value_heads": 2, "head_dim": 128, "max_position_embeddings": 32_768]) }
        if type == "mistral" {
            config.assume(["num_key_value_heads": 8, "sliding_window": 4096, "max_position_embeddings": 131_072])
        }
        let sizes = try config.sizes()
        let isMixture = try config.isGGUF ? config.integer("expert_count") ?? 0 != 0 : type == "mixtral"
        let norm = try config.rms(default: isSplit || isMixture ? 1e-5 : 1e-6)
        if !isMixture, let experts = try config.integer("num_local_experts"), experts != 0 {
            throw config.error("num_local_experts", "is \(experts); this class has no mixtures of experts")
        }
        // Only Mistral's classes look at the window; elsewhere the key is a leftover.
        let statedWindow = try config.optionalSize(["sliding_window"])
        let window = type == "mistral" || type == "mixtral" ? statedWindow : nil
        let network = try config.gated(
            sizes.hidden, bias: config.bias("mlp_bias", isSplit ? "bias" : "mlp_bias", ggufTensor: "blk.0.ffn_up.bias"))
        let inputBias = try config.bias(
            "attention_bias", isSplit ? "qkv_bias" : "attention_bias", ggufTensor: "blk.0.attn_q.bias")
        let outputBias = try config.bias("attention_bias", ggufTensor: "blk.0.attn_output.bias")
        var attention = config.attention(
            sizes, rotary: try config.rotary(sizes, defaultBase: type == "mixtral" ? 1_000_000 : 10_000),
            inputBias: inputBias, outputBias: isSplit ? network.bias : outputBias)
        if let window { attention.reach = .causalWindow(tokens: window) }
        var feedForward = FeedForwardSpec.dense(network)
        if isMixture {
            var mixture = try config.mixture(sizes, hidden: sizes.hidden)
            mixture.scores = .softmaxOfChosen
            feedForward = .mixture(mixture)
        }
        config.ignore(["pretraining_tp"])  // how training was cut over machines
        return try config.decoder(sizes, finalNorm: norm) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: feedForward)
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec,
            [
                .router: "block_sparse_moe.gate", .expert(.gate): "block_sparse_moe.experts.*.w1",
                .expert(.up): "block_sparse_moe.experts.*.w3", .expert(.down): "block_sparse_moe.experts.*.w2",
            ])
    }

    /// GGUF has the rows of queries and keys in the order in which neighbours turn together.
    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec, .turned(spec)) }
}
