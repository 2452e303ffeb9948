import TinyLayers

/// Qwen3-30B-A3B and 235B-A22B: Qwen3, with norms of each head's queries and keys, and many small experts.
///
/// Yang et al. 2025, arXiv:2505.09388
enum Qwen3MoE: Family {
    static let name = "Qwen3-MoE"
    static let modelTypes = ["qwen3_moe"]
    static let ggufArchitectures = ["qwen3moe"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms()
        // Here one window is for all layers; where it is not switched on, the numbers are leftovers.
        let slides = try config.bool("use_sliding_window") ?? false
        let window = slides ? try config.size("sliding_window") : nil
        config.ignore(["sliding_window", "max_window_layers"])
        var attention = config.attention(
            sizes, rotary: try config.rotary(sizes),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias"),
            outputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_output.bias"))
        attention.headNorm = HeadNormSpec(norm: norm, span: .head, afterRotation: false)
        if let window { attention.reach = .causalWindow(tokens: window) }
        var mixture = try config.mixture(sizes)
        // The class leaves weights as they are unless told; all releases say so, and GGUF means it.
        mixture.normalization = try config.normalization(default: config.isGGUF)
        let dense = try config.gated(sizes.hidden)
        let isSparse = try config.sparseLayers(sizes)
        return try config.decoder(sizes, finalNorm: norm) { layer in
            LayerSpec(
                wiring: .before(norm), attention: attention,
                feedForward: isSparse[layer] ? .mixture(mixture) : .dense(dense))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .usual(config, spec) }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
