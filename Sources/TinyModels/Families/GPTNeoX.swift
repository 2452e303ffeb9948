import TinyLayers

/// GPT-NeoX and Pythia: attention and feed-forward side by side, each with its LayerNorm; a part of each head turns.
///
/// Black et al. 2022, arXiv:2204.06745; Biderman et al. 2023, arXiv:2304.01373
enum GPTNeoX: Family {
    static let name = "GPT-NeoX"
    static let modelTypes = ["gpt_neox"]
    static let ggufArchitectures = ["gptneox"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false)
        let norm = try config.layerNorm()
        let isParallel = try config.bool("use_parallel_residual") ?? true
        let bias = try config.bias("attention_bias", ggufTensor: "blk.0.attn_qkv.bias", default: true)
        let rotary = try config.rotary(
            sizes, defaultBase: config.optionalNumber("rotary_emb_base") ?? 10_000, turnsParts: true,
            defaultPart: config.optionalNumber("rotary_pct") ?? 0.25)
        let attention = config.attention(sizes, rotary: rotary, inputBias: bias, outputBias: bias)
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .gelu), bias: true)
        config.ignore(["attention_probs_dropout_prob", "hidden_dropout_prob", "classifier_dropout"])
        let wiring = isParallel ? WiringSpec.parallel(attention: norm, feedForward: norm) : .before(norm)
        return try config.decoder(
            sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))
        ) { _ in
            LayerSpec(wiring: wiring, attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        NameMap(
            prefix: config.prefix("gpt_neox.", unless: "embed_in.weight"), layers: "layers",
            harmless: [".attention.bias", ".attention.masked_bias", "rotary_emb.inv_freq"]
                + (spec.head?.weight == .tied ? ["embed_out.weight"] : []),
            model: [.tokenTable: "embed_in", .finalNorm: "final_layer_norm", .head: .whole("embed_out.weight")],
            layer: [LayerSlot: TensorSource].usual.with(
                .fused("attention.query_key_value", .byGroup(spec.layers[0].attention))
            ).with([
                .attentionOutput: "attention.dense", .network(.up): "mlp.dense_h_to_4h",
                .network(.down): "mlp.dense_4h_to_h",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, .fused("attn_qkv", .stacked(spec.layers[0].attention)))
    }
}
