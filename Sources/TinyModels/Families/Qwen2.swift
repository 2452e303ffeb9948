import TinyLayers

/// Qwen 1.5, 2 and 2.5: biases of queries, keys and values, and a window for the last layers if one is switched on.
///
/// Yang et al. 2024, arXiv:2407.10671
enum Qwen2: Family {
    static let name = "Qwen2"
    static let modelTypes = ["qwen2"]
    static let ggufArchitectures = ["qwen2"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        config.assume(["max_position_embeddings": 32_768])
        let sizes = try config.sizes()
        let norm = try config.rms()
        let attention = config.attention(sizes, rotary: try config.rotary(sizes), inputBias: true)
        let network = try config.gated(sizes.hidden)
        let reaches = try reaches(config, sizes)
        try config.require(["use_mrope": false])
        config.ignore(["dual_chunk_attention_config"])  // of vLLM's class alone, for texts beyond a chunk
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))) {
            LayerSpec(
                wiring: .before(norm), attention: attention.reaching(reaches[$0]), feedForward: .dense(network))
        }
    }

    /// GGUF has no key for the window.
    static func reaches(_ config: ConfigReader, _ sizes: Sizes) throws -> [AttentionSpec.Reach] {
        config.assume(["sliding_window": 4096, "max_window_layers": 28])
        let (stated, first) = (try config.window(), try config.integer("max_window_layers") ?? 28)
        let window = try config.bool("use_sliding_window") ?? false ? stated : nil
        return try config.reaches(sizes, window: window) { window != nil && $0 >= first }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .usual(config, spec) }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
