import TinyLayers

/// InternLM, the first generation: LLaMA's shape with biases in attention.
///
/// Shanghai AI Laboratory 2023, "InternLM: A Multilingual Language Model with Progressively Enhanced Capabilities"
enum InternLM: Family {
    static let name = "InternLM"
    static let modelTypes = ["internlm"]
    static let ggufArchitectures: [String] = []

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false)
        let norm = try config.rms()
        let bias = try config.bool("bias") ?? true
        let attention = config.attention(sizes, rotary: try rotary(config, sizes), inputBias: bias, outputBias: bias)
        let network = try config.gated(sizes.hidden)
        config.ignore(["pretraining_tp"])
        return try config.decoder(sizes, finalNorm: norm) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    /// Its own spelling; without one, the class takes the base to grow with the text.
    private static func rotary(_ config: ConfigReader, _ sizes: Sizes) throws -> RotarySpec {
        let stated = try config.object("rotary")
        var rotary = try config.rotary(sizes, defaultBase: stated?.optionalNumber("base") ?? 10_000)
        let type = try stated?.string("type") ?? "dynamic"
        let factor = try stated?.optionalNumber("scaling_factor") ?? 1
        switch type {
        case "origin": break
        case "dynamic" where factor >= 1: rotary.scaling = .dynamic(factor: factor, originalContext: sizes.context)
        case "dynamic":
            throw config.error("rotary.scaling_factor", "is \(factor); a factor from 1 on is expected")
        default: throw config.error("rotary.type", "is \"\(type)\"; supported are origin and dynamic")
        }
        return rotary
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .usual(config, spec) }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
