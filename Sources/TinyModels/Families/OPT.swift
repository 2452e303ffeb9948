import TinyLayers

/// OPT, and Galactica of the same class: learned positions, LayerNorm, a plain network. One size has its norms behind
/// each sum and none at the end, and a token table narrower than the stream.
///
/// Zhang et al. 2022, arXiv:2205.01068; Taylor et al. 2022, arXiv:2211.09085
enum OPT: Family {
    static let name = "OPT"
    static let modelTypes = ["opt"]
    static let ggufArchitectures: [String] = []

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false)
        // Whether norms have weights is a matter of names: see below.
        let norm = NormSpec.layer(epsilon: 1e-5, bias: try config.bool("layer_norm_elementwise_affine") ?? true)
        let isBefore = try config.bool("do_layer_norm_before") ?? true
        let hasLast = try !(config.bool("_remove_final_layer_norm") ?? false) && isBefore
        let bias = try config.bool("enable_bias") ?? true
        let tableWidth = try config.optionalSize(["word_embed_proj_dim"]).flatMap { $0 == sizes.width ? nil : $0 }
        try config.require("scale_embeddings", is: false)
        try config.require("learned_embeddings", is: true)
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .relu), bias: bias)
        config.ignore(["activation_dropout", "dropout", "layerdrop", "init_std", "prefix"])
        let attention = config.attention(sizes, rotary: nil, inputBias: bias, outputBias: bias)
        let wiring = WiringSpec.sequential(isBefore ? NormPlacement(before: norm) : NormPlacement(onSum: norm))
        return try config.decoder(
            sizes, stem: TokenStemSpec(positions: .learned(rows: sizes.context), tableWidth: tableWidth),
            finalNorm: hasLast ? norm : nil,
            head: HeadSpec(weight: config.headWeight(default: .tied), tableWidth: tableWidth)
        ) { _ in
            LayerSpec(wiring: wiring, attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let hasWeights = (try? config.bool("layer_norm_elementwise_affine")) ?? true
        func norm(_ name: String) -> TensorSource { hasWeights ? .named(name) : .ones }
        var rows = 0
        if case .tokens(let stem) = spec.stem, case .learned(let count) = stem.positions { rows = count }
        return NameMap(
            prefix: config.prefix("model.", unless: "decoder.embed_tokens.weight"), layers: "decoder.layers",
            harmless: ["decoder.version"] + .tiedHead(spec),
            model: [
                .tokenTable: "decoder.embed_tokens", .stemProjection: "decoder.project_in",
                .positionTable: .part(1, of: [2, rows], "decoder.embed_positions"),  // the first two were for padding
                .finalNorm: norm("decoder.final_layer_norm"), .headProjection: "decoder.project_out",
                .head: .whole("lm_head.weight"),
            ],
            layer: [LayerSlot: TensorSource].usual.with([
                .norm(.beforeAttention): norm("self_attn_layer_norm"),
                .norm(.onAttentionSum): norm("self_attn_layer_norm"),
                .norm(.beforeFeedForward): norm("final_layer_norm"), .norm(.onFeedForwardSum): norm("final_layer_norm"),
                .attentionOutput: "self_attn.out_proj", .network(.up): "fc1", .network(.down): "fc2",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
