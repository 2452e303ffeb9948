import TinyLayers

/// OLMo 2: norms behind the branches alone, and norms of all heads' queries and keys together.
///
/// OLMo Team 2025, arXiv:2501.00656
enum OLMo2: Family {
    static let name = "OLMo 2"
    static let modelTypes = ["olmo2"]
    static let ggufArchitectures = ["olmo2"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1e-5)
        var attention = config.attention(
            sizes, rotary: try config.rotary(sizes),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias"),
            outputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_output.bias"))
        attention.headNorm = HeadNormSpec(norm: norm, span: .allHeads, afterRotation: false)
        let network = try config.gated(sizes.hidden)
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))) {
            _ in
            LayerSpec(
                wiring: .sequential(NormPlacement(after: norm)), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec,
            [
                .norm(.afterAttention): "post_attention_layernorm",
                .norm(.afterFeedForward): "post_feedforward_layernorm",
            ])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
