import TinyLayers

/// 360 Zhinao: LLaMA's shape with biases on queries, keys and values, whose rows stand in groups.
///
/// 360Zhinao Team 2024, arXiv:2405.13386
enum Zhinao: Family {
    static let name = "360 Zhinao"
    static let modelTypes = ["zhinao"]
    static let ggufArchitectures: [String] = []

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms()
        _ = try config.number("rope_theta")  // every size has its own
        let attention = config.attention(sizes, rotary: try config.rotary(sizes), inputBias: true)
        let network = try config.gated(sizes.hidden)
        config.ignore(["bf16", "fp16", "use_flash_attn"])
        return try config.decoder(sizes, finalNorm: norm) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(config, spec, .fused("self_attn.qkv_proj", .byGroup(spec.layers[0].attention)))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
