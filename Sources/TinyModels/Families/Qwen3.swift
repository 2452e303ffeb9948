import TinyLayers

/// Qwen3: as Qwen2 with norms of queries and keys in place of biases.
///
/// Yang et al. 2025, arXiv:2505.09388
enum Qwen3: Family {
    static let name = "Qwen3"
    static let modelTypes = ["qwen3"]
    static let ggufArchitectures = ["qwen3"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        config.assume(["head_dim": 128, "max_position_embeddings": 32_768])
        let sizes = try config.sizes()
        let norm = try config.rms()
        var attention = config.attention(
            sizes, rotary: try config.rotary(sizes),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias"),
            outputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_output.bias"))
        attention.headNorm = HeadNormSpec(norm: norm, span: .head, afterRotation: false)
        let network = try config.gated(sizes.hidden)
        let reaches = try Qwen2.reaches(config, sizes)
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))) {
            LayerSpec(
                wiring: .before(norm), attention: attention.reaching(reaches[$0]), feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .usual(config, spec) }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
