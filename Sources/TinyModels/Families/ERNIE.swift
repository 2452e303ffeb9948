import TinyLayers

/// ERNIE 4.5 without experts: LLaMA's shape with neighbours that turn, and one switch for all biases.
///
/// ERNIE Team, Baidu 2025, "ERNIE 4.5 Technical Report"
enum ERNIE: Family {
    static let name = "ERNIE 4.5"
    static let modelTypes = ["ernie4_5"]
    static let ggufArchitectures = ["ernie4_5"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        config.assume(["num_key_value_heads": 2, "head_dim": 128, "max_position_embeddings": 131_072])
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1e-5)
        func bias(_ tensor: String) throws -> Bool { try config.bias("use_bias", ggufTensor: tensor) }
        let attention = config.attention(
            sizes, rotary: try config.rotary(sizes, pairing: .neighbours, defaultBase: 500_000),
            inputBias: try bias("blk.0.attn_q.bias"), outputBias: try bias("blk.0.attn_output.bias"))
        let network = try config.gated(sizes.hidden, bias: bias("blk.0.ffn_up.bias"))
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .tied))) {
            _ in LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .usual(config, spec) }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
