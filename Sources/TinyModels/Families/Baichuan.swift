import TinyLayers

/// Baichuan and Baichuan 2: LLaMA's shape with one projection for queries, keys and values; the large ones have slopes
/// instead of rotation, the second generation a head of rows of unit length.
///
/// Yang et al. 2023, arXiv:2309.10305
enum Baichuan: Family {
    static let name = "Baichuan"
    static let modelTypes = ["baichuan"]
    static let ggufArchitectures = ["baichuan"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes(grouped: false)
        let norm = try config.rms()
        // Nothing says which of the two it is: the large ones' class has no `max_position_embeddings`.
        let longest = try config.optionalSize(["max_position_embeddings"])
        let other = try config.optionalSize(["model_max_length"])
        guard config.isGGUF || longest != nil || other != nil else {
            throw config.error(
                "max_position_embeddings",
                "is missing, and model_max_length too: it cannot be told how positions are coded")
        }
        let isLarge = sizes.width == 5120 || sizes.depth == 40 || !config.isGGUF && longest == nil
        var attention = config.attention(sizes, rotary: isLarge ? nil : try config.rotary(sizes))
        if isLarge { attention.bias = .linear(slopes: PositionBias.slopes(heads: sizes.heads)) }
        // Nor which generation: the second has a larger vocabulary and, in the folder, one key or two more.
        let isSecond =
            try config.optionalNumber("z_loss_weight") != nil || longest != nil && other != nil
            || sizes.vocabulary >= 125_696
        let network = try config.gated(sizes.hidden)
        config.ignore(["_from_model_config", "rope.dimension_count"])
        return try config.decoder(
            sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(), unitRows: isSecond)
        ) { _ in
            LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec, harmless: ["alibi_mask", "future_mask"],
            .fused("self_attn.W_pack", .stacked(spec.layers[0].attention)))
    }

    /// GGUF has the rows of queries and keys in the order in which neighbours turn together, even where none turn.
    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let width = spec.layers[0].attention.headWidth
        let turn = HeadTurn(headWidth: width, turning: width)
        return .gguf(spec, [.query: .neighboursToHalves(turn, "attn_q"), .key: .neighboursToHalves(turn, "attn_k")])
    }
}
