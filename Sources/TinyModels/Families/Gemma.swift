import TinyLayers

/// Gemma: LLaMA's shape with wide heads, embeddings that grow by √width, and norms stored less one.
///
/// Gemma Team 2024, arXiv:2403.08295
enum Gemma: Family {
    static let name = "Gemma"
    static let modelTypes = ["gemma"]
    static let ggufArchitectures = ["gemma"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        config.assume(["head_dim": 256, "max_position_embeddings": 8192])
        let sizes = try config.sizes()
        let norm = try config.rms()
        let attention = try attention(config, sizes, rotary: config.rotary(sizes))
        var network = try config.gated(sizes.hidden, .geluTanh)
        if network.activation == .gelu { network.activation = .geluTanh }  // what files mean by "gelu"
        return try config.decoder(
            sizes, stem: stem(sizes), finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .tied))
        ) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    /// - Parameter largest: layers of a later generation's largest size. What scores are divided by the root of is left
    ///   out by GGUF: there it is the width per head, elsewhere a head's width.
    static func attention(
        _ config: ConfigReader, _ sizes: Sizes, rotary: RotarySpec, largest: Int? = nil
    ) throws -> AttentionSpec {
        try config.require(["use_bidirectional_attention": false])
        let bias = try config.bool("attention_bias") ?? false
        var attention = config.attention(sizes, rotary: rotary, inputBias: bias, outputBias: bias)
        if let largest {
            let usual = sizes.depth == largest ? max(1, sizes.width / sizes.heads) : sizes.headWidth
            attention.scale = Float(1 / (try config.positive("query_pre_attn_scalar") ?? Double(usual)).squareRoot())
        }
        return attention
    }

    static func stem(_ sizes: Sizes) -> TokenStemSpec {
        TokenStemSpec(scale: Float(Double(sizes.width).squareRoot()))
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec, model: [.finalNorm: .plusOne("norm")],
            [
                .norm(.beforeAttention): .plusOne("input_layernorm"),
                .norm(.beforeFeedForward): .plusOne("post_attention_layernorm"),
            ])
    }

    /// GGUF has norms with the one added.
    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
