import TinyLayers

/// MiniCPM 1B, 2B and MoE-8x2B, MiniCPM4: LLaMA with scaled embeddings, branches and head.
///
/// Hu et al. 2024, arXiv:2404.06395; Yang et al. 2022, arXiv:2203.03466, for the scales; MiniCPM Team 2025,
/// arXiv:2506.07900
enum MiniCPM: Family {
    static let name = "MiniCPM"
    static let modelTypes = ["minicpm"]
    static let architectures = ["MiniCPMForCausalLM"]
    static let ggufArchitectures = ["minicpm"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms()
        var rotary = try config.rotary(sizes)
        if case .byLength(let short, let long, let original, let magnitude) = rotary.scaling {
            // The release chooses once, by the longest text it is made for.
            rotary.scaling = .perFrequency(divisors: sizes.context > original ? long : short, magnitude: magnitude)
        }
        let bias = try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias")
        let attention = config.attention(sizes, rotary: rotary, inputBias: bias, outputBias: bias)
        let feedForward: FeedForwardSpec
        if try config.integer("num_experts", "expert_count") ?? 0 > 0 {
            var mixture = try config.mixture(sizes, hidden: sizes.hidden)
            mixture.normalization = .sum(plus: 0)
            feedForward = .mixture(mixture)
        } else {
            feedForward = .dense(try config.gated(sizes.hidden))
        }
        if config.has("sparse_config") {
            throw config.error("sparse_config", "asks for sparse attention, which is not supported")
        }
        config.ignore(["mup_denominator", "pretraining_tp", "max_length", "rope.dimension_count"])
        let scales = try MuParametrization(config, sizes)
        return try config.decoder(
            sizes, stem: scales.stem, finalNorm: norm, head: scales.head(config.headWeight(default: .tied))
        ) { _ in
            LayerSpec(
                wiring: .before(norm), attention: attention, feedForward: feedForward, branchScale: scales.branch)
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec,
            [
                .expert(.gate): "mlp.experts.*.w1", .expert(.up): "mlp.experts.*.w3",
                .expert(.down): "mlp.experts.*.w2",
            ])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec, .turned(spec)) }
}

/// What this family multiplies by, so that rates of learning found for a narrow model hold for a wide one.
struct MuParametrization {
    let stem: TokenStemSpec
    let branch: Float
    private let headScale: Float

    init(_ config: ConfigReader, _ sizes: Sizes) throws {
        for key in ["scale_emb", "scale_depth", "dim_model_base"] where config.isNull(key) {
            throw config.error(key, "is null; a number is expected")
        }
        stem = TokenStemSpec(scale: Float(try config.optionalNumber("scale_emb", "embedding_scale") ?? 12))
        let depth = try config.exactNumber("scale_depth") ?? 1.4
        branch = Float(
            try config.optionalNumber("residual_scale") ?? depth / Double(sizes.depth).squareRoot())
        let base = try config.optionalSize(["dim_model_base"]) ?? 256
        let divisor = try config.optionalNumber("logit_scale") ?? Double(Float(Double(sizes.width) / Double(base)))
        guard divisor > 0 else { throw config.error("logit_scale", "is \(divisor); a number above 0 is expected") }
        headScale = Float(1 / divisor)
    }

    func head(_ weight: HeadSpec.Weight) -> HeadSpec { HeadSpec(weight: weight, scale: headScale) }
}
