import TinyLayers

/// gpt-oss: sinks, windows on every second layer, experts with a clamped gate, all with biases.
///
/// OpenAI 2025, arXiv:2508.10925
enum GPTOSS: Family {
    static let name = "gpt-oss"
    static let modelTypes = ["gpt_oss"]
    static let ggufArchitectures = ["gpt-oss"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1e-5)
        let window = try config.optionalSize(["sliding_window", "attention.sliding_window"]) ?? 128
        let reaches = try config.reaches(sizes, window: window) { $0.isMultiple(of: 2) }
        var attention = config.attention(
            sizes, rotary: try rotary(config, sizes),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias", default: true),
            outputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_output.bias", default: true))
        attention.sinks = true
        var mixture = try config.mixture(sizes, hidden: sizes.hidden)
        let (limit, slope) = (
            try config.optionalNumber("swiglu_limit") ?? 7, try config.exactNumber("swiglu_alpha") ?? 1.702
        )
        guard limit > 0, slope > 0 else {
            throw config.error(limit > 0 ? "swiglu_alpha" : "swiglu_limit", "is not above 0")
        }
        guard sizes.hidden <= 1 << 20 else {
            throw config.error("intermediate_size", "is \(sizes.hidden); at most \(1 << 20) is supported")
        }
        mixture.expert = NetworkSpec(
            form: .clampedGate(limit: Float(limit), stretch: Float(slope / 1.702)), hidden: sizes.hidden,
            activation: .geluQuick, bias: true)
        (mixture.scores, mixture.routerBias) = (.softmaxOfChosen, true)
        // The gate is as above whatever "hidden_act" says; the others say again what stands elsewhere.
        config.ignore([
            "hidden_act", "experts_per_token", "initial_context_length", "moe_intermediate_size",
            "expert_feed_forward_length",
        ])
        if let stored = try config.object("quantization_config") {
            let method = try stored.string("quant_method") ?? "none"
            guard method == "mxfp4" else { throw stored.error("quant_method", "is \"\(method)\"; mxfp4 is supported") }
            stored.ignore(["modules_to_not_convert", "dequantize"])
        }
        return try config.decoder(
            sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))
        ) { layer in
            var attention = attention
            attention.reach = reaches[layer]
            return LayerSpec(wiring: .before(norm), attention: attention, feedForward: .mixture(mixture))
        }
    }

    /// A folder that says nothing of a scaling means the releases'; GGUF does not say that the ramp is not rounded.
    private static func rotary(_ config: ConfigReader, _ sizes: Sizes) throws -> RotarySpec {
        var rotary = try config.rotary(sizes, defaultBase: 150_000)
        if !config.isGGUF && !config.has("rope_parameters") && !config.has("rope_scaling") {
            rotary.scaling = .yarn(
                factor: 32, fastRotations: 32, slowRotations: 1, originalContext: 4096, rounds: false,
                magnitude: 1.3465735902799727)
        }
        if config.isGGUF, case .yarn(let factor, let fast, let slow, let original, _, let magnitude) = rotary.scaling {
            rotary.scaling = .yarn(
                factor: factor, fastRotations: fast, slowRotations: slow, originalContext: original, rounds: false,
                magnitude: magnitude)
        }
        return rotary
    }

    /// Experts stand in one tensor, gates and ups in turn; either as floats, inputs by outputs, or as four-bit codes.
    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        guard case .mixture(let mixture)? = spec.layers.first?.feedForward else { return .usual(config, spec) }
        func expert(_ name: String) -> TensorSource {
            let name = "mlp.experts." + name
            let isPacked = config.hasTensor("model.layers.0.\(name)_blocks")
            return .parts(
                weight: isPacked
                    ? .expert(0, of: mixture.experts, .blocks(name + "_blocks", scales: name + "_scales"))
                    : .transposed(.expert(0, of: mixture.experts, .bare(name))),
                bias: .expert(0, of: mixture.experts, .bare(name + "_bias")))
        }
        func everySecond(from first: Int) -> TensorSource {
            let count = 2 * mixture.expert.hidden
            return .rows(Array(stride(from: first, to: count, by: 2)), of: count, expert("gate_up_proj"))
        }
        return .usual(
            config, spec,
            [
                .sinks: .bare("self_attn.sinks"), .router: "mlp.router", .expert(.gate): everySecond(from: 0),
                .expert(.up): everySecond(from: 1), .expert(.down): expert("down_proj"),
            ])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, [.norm(.beforeFeedForward): "post_attention_norm"])
    }
}
