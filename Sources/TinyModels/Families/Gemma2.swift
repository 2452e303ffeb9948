import TinyLayers

/// Gemma 2: norms before and behind both branches, bounded scores and logits, a window in every other layer.
///
/// Gemma Team 2024, arXiv:2408.00118
enum Gemma2: Family {
    static let name = "Gemma 2"
    static let modelTypes = ["gemma2"]
    static let ggufArchitectures = ["gemma2"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        config.assume([
            "head_dim": 256, "max_position_embeddings": 8192, "query_pre_attn_scalar": 256, "sliding_window": 4096,
            "attn_logit_softcapping": 50, "final_logit_softcapping": 30,
        ])
        let sizes = try config.sizes()
        let norm = try config.rms()
        var attention = try Gemma.attention(config, sizes, rotary: config.rotary(sizes), largest: 46)
        // GGUF files from before the caps were known are meant to have them.
        let scoreCap = try config.positive("attn_logit_softcapping") ?? (config.isGGUF ? 50 : nil)
        let logitCap = try config.positive("final_logit_softcapping") ?? (config.isGGUF ? 30 : nil)
        attention.scoreCap = scoreCap.map { Float($0) }
        let reaches = try config.reaches(sizes, window: config.window()) { $0.isMultiple(of: 2) }
        let layers = try layers(config, sizes, attention, norm)
        return try config.decoder(
            sizes, stem: Gemma.stem(sizes), finalNorm: norm,
            head: HeadSpec(weight: config.headWeight(default: .tied), cap: logitCap.map { Float($0) })
        ) {
            layers(reaches[$0], nil)
        }
    }

    /// Makes layers that differ in their reach, and in their rotation where it is limited.
    static func layers(
        _ config: ConfigReader, _ sizes: Sizes, _ attention: AttentionSpec, _ norm: NormSpec
    ) throws -> (AttentionSpec.Reach, RotarySpec?) -> LayerSpec {
        config.ignore(["hidden_act", "sliding_window_size"])  // leftovers: both stand under other keys
        let network = NetworkSpec(
            form: .gated, hidden: sizes.hidden,
            activation: try config.activation("hidden_activation", default: .geluTanh), bias: false)
        return { reach, windowed in
            LayerSpec(
                wiring: .sequential(NormPlacement(before: norm, after: norm)),
                attention: attention.reaching(reach, windowed: windowed), feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(config, spec, model: [.finalNorm: .plusOne("norm")], norms)
    }

    static let norms: [LayerSlot: TensorSource] = [
        .norm(.beforeAttention): .plusOne("input_layernorm"),
        .norm(.afterAttention): .plusOne("post_attention_layernorm"),
        .norm(.beforeFeedForward): .plusOne("pre_feedforward_layernorm"),
        .norm(.afterFeedForward): .plusOne("post_feedforward_layernorm"),
    ]

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
