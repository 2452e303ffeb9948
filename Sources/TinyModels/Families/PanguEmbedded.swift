import TinyLayers

/// openPangu Embedded: LLaMA's shape with biases in attention.
///
/// Chen et al. 2025, arXiv:2505.22375
enum PanguEmbedded: Family {
    static let name = "openPangu Embedded"
    static let modelTypes = ["PanguEmbedded", "openpangu_dense"]
    static let ggufArchitectures = ["pangu-embedded"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms()
        let attention = config.attention(
            sizes, rotary: try config.rotary(sizes),
            inputBias: try config.bias("bias", ggufTensor: "blk.0.attn_q.bias"),
            outputBias: try config.bias("bias", ggufTensor: "blk.0.attn_output.bias"))
        let network = try config.gated(sizes.hidden)
        return try config.decoder(sizes, finalNorm: norm) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .usual(config, spec) }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
