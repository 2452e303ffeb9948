import TinyLayers

/// Seed-OSS: LLaMA's shape with heads of a width of their own, and a switch for each kind of bias.
///
/// ByteDance Seed Team 2025, https://github.com/ByteDance-Seed/seed-oss
enum SeedOSS: Family {
    static let name = "Seed-OSS"
    static let modelTypes = ["seed_oss"]
    static let ggufArchitectures = ["seed_oss"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        config.assume(["num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 524_288])
        let sizes = try config.sizes()
        let norm = try config.rms()
        let attention = config.attention(
            sizes, rotary: try config.rotary(sizes),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias", default: true),
            outputBias: try config.bias("attention_out_bias", ggufTensor: "blk.0.attn_output.bias"))
        let network = try config.gated(sizes.hidden, bias: config.bias("mlp_bias", ggufTensor: "blk.0.ffn_up.bias"))
        config.ignore(["pretraining_tp"])
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))) {
            _ in LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .usual(config, spec) }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, [.norm(.beforeFeedForward): "post_attention_norm"])
    }
}
