import TinyLayers

/// Aquila and Aquila 2: LLaMA by another name, in GGUF by no name of their own.
///
/// Zhang et al. 2024, arXiv:2408.07410
enum Aquila: Family {
    static let name = "Aquila"
    static let modelTypes = ["aquila"]
    static let ggufArchitectures: [String] = []

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms()
        let attention = config.attention(sizes, rotary: try config.rotary(sizes))
        let network = try config.gated(sizes.hidden)
        config.ignore(["pretraining_tp"])
        return try config.decoder(sizes, finalNorm: norm) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .usual(config, spec) }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
