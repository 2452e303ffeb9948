import TinyLayers

/// PanGu-α, as ported to PyTorch: GPT-2's shape with a last layer whose queries come from positions alone. The last norm
/// stands in front of that layer.
///
/// Zeng et al. 2021, arXiv:2104.12369
enum PanguAlpha: Family {
    static let name = "PanGu-α"
    static let modelTypes = ["gpt_pangu", "pangu"]
    static let ggufArchitectures: [String] = []

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false) { 4 * $0 }
        let norm = try config.layerNorm()
        var attention = config.attention(sizes, rotary: nil, inputBias: true, outputBias: true)
        if try config.bool("scale_attn_weights") == false { attention.scale = 1 }
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .gelu), bias: true)
        config.ignore([
            "model_name_or_path", "summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels",
            "summary_first_dropout",
        ])
        return try config.decoder(
            sizes, stem: TokenStemSpec(positions: .learned(rows: sizes.context)), finalNorm: nil
        ) { layer in
            var first = NormPlacement(before: norm)
            var attention = attention
            if layer == sizes.depth - 1 {
                first.onStream = norm
                attention.projection = .queriesOfPositions(rows: sizes.context)
            }
            return LayerSpec(
                wiring: .sequential(attention: first, feedForward: NormPlacement(before: norm)), attention: attention,
                feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let prefix = config.prefix("transformer.", unless: "wte.weight")
        return NameMap(
            prefix: prefix, layers: "h", harmless: [".attn.bias", ".attn.masked_bias"] + .tiedHead(spec),
            model: [.tokenTable: "wte", .positionTable: "wpe", .head: .whole("lm_head.weight")],
            layer: [
                .norm(.onAttentionStream): .absolute(prefix + "ln_f"), .norm(.beforeAttention): "ln_1",
                .norm(.beforeFeedForward): "ln_2", .query: "attn.q_proj", .queryPositions: .absolute(prefix + "wqe"),
                .key: "attn.k_proj", .value: "attn.v_proj", .attentionOutput: "attn.c_proj",
                .network(.up): "mlp.c_fc", .network(.down): "mlp.c_proj",
            ])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
