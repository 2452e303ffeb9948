import TinyLayers

/// InternLM 2 and 2.5: LLaMA's shape under other names, with the rows of queries, keys and values in groups.
///
/// Cai et al. 2024, arXiv:2403.17297
enum InternLM2: Family {
    static let name = "InternLM 2"
    static let modelTypes = ["internlm2"]
    static let ggufArchitectures = ["internlm2"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms()
        let bias = try config.bias("bias", ggufTensor: "blk.0.attn_q.bias")
        let attention = config.attention(sizes, rotary: try config.rotary(sizes), inputBias: bias, outputBias: bias)
        let network = try config.gated(sizes.hidden)
        config.ignore(["pretraining_tp", "attn_implementation"])
        return try config.decoder(
            sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))
        ) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec, harmless: spec.head?.weight == .tied ? ["output.weight"] : [],
            model: [.tokenTable: "tok_embeddings", .head: .whole("output.weight")],
            [LayerSlot: TensorSource].fused("attention.wqkv", .byGroup(spec.layers[0].attention)).with([
                .norm(.beforeAttention): "attention_norm", .norm(.beforeFeedForward): "ffn_norm",
                .attentionOutput: "attention.wo", .network(.gate): "feed_forward.w1", .network(.up): "feed_forward.w3",
                .network(.down): "feed_forward.w2",
            ]))
    }

    /// GGUF has the rows of queries and keys in the order in which neighbours turn together.
    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec, .turned(spec)) }
}
