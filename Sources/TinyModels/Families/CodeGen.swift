import TinyLayers

/// CodeGen, and MOSS, which is CodeGen with another vocabulary: attention and feed-forward side by side behind one
/// LayerNorm, a part of each head turning, a head with a bias.
///
/// Nijkamp et al. 2022, arXiv:2203.13474; Sun et al. 2024, "MOSS: An Open Conversational Large Language Model"
enum CodeGen: Family {
    static let name = "CodeGen"
    static let modelTypes = ["codegen", "moss"]
    static let ggufArchitectures: [String] = []
    /// Rows of queries, values and keys were cut for so many machines, whatever reads them.
    private static let blocks = 4

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false) { 4 * $0 }
        let norm = try config.layerNorm()
        guard sizes.heads.isMultiple(of: blocks) else {
            throw config.error("n_head", "is \(sizes.heads); a multiple of \(blocks) is expected")
        }
        let turning = try config.size("rotary_dim")
        guard turning <= sizes.headWidth, turning.isMultiple(of: 2) else {
            throw config.error(
                "rotary_dim", "is \(turning); an even number up to a head's width, \(sizes.headWidth), is expected")
        }
        let attention = config.attention(
            sizes, rotary: RotarySpec(width: turning, pairing: .neighbours, base: 10_000, scaling: .none))
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .geluTanh), bias: true)
        config.ignore([
            "n_ctx", "summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels",
            "summary_first_dropout", "scale_attn_weights",  // the class always does
        ])
        return try config.decoder(
            sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own), bias: true)
        ) { _ in
            LayerSpec(
                wiring: .parallel(attention: norm, feedForward: nil), attention: attention, feedForward: .dense(network)
            )
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        NameMap(
            prefix: config.prefix("transformer.", unless: "wte.weight"), layers: "h",
            harmless: [".attn.causal_mask", ".attn.bias", ".attn.masked_bias"] + .tiedHead(spec),
            model: [
                .tokenTable: "wte", .finalNorm: "ln_f", .head: .absolute("lm_head"),
            ],
            layer: [LayerSlot: TensorSource].fused(
                "attn.qkv_proj", .queryValueKey(spec.layers[0].attention, blocks: blocks)
            ).with([
                .norm(.beforeAttention): "ln_1", .attentionOutput: "attn.out_proj", .network(.up): "mlp.fc_in",
                .network(.down): "mlp.fc_out",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
