import TinyLayers

/// MiniCPM3: MiniCPM's scales, and queries, keys and values by way of narrow vectors.
///
/// Hu et al. 2024, arXiv:2404.06395; the attention: DeepSeek-AI 2024, arXiv:2405.04434
enum MiniCPM3: Family {
    static let name = "MiniCPM3"
    static let modelTypes = ["minicpm3"]
    static let architectures = ["MiniCPM3ForCausalLM"]
    static let ggufArchitectures = ["minicpm3"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1e-5)
        guard sizes.keyValueHeads == sizes.heads else {
            throw config.error("num_key_value_heads", "differs from the number of heads; every head has its own keys")
        }
        let turning = try config.size("qk_rope_head_dim", "rope.dimension_count")
        let head = config.isGGUF ? sizes.headWidth : turning + (try config.size("qk_nope_head_dim"))
        let value = try config.optionalSize(["v_head_dim"]) ?? sizes.width / sizes.heads
        guard turning < head, value <= head, head <= 1 << 20, sizes.heads * head <= 1 << 20 else {
            throw config.error(
                "qk_rope_head_dim",
                "is \(turning) of \(head) elements of a head, with values of \(value), for \(sizes.heads) heads")
        }
        let rotary = try config.rotary(headWidth: turning, pairing: .halves, context: sizes.context)
        if case .yarn = rotary.scaling {
            throw config.error("rope_scaling", "is of the type yarn, which scales scores in this class; not supported")
        }
        // What belongs to "head_dim" is the turning part here, whatever the key says.
        var attention = AttentionSpec(
            heads: sizes.heads, keyValueHeads: sizes.heads, headWidth: head, scale: 1 / Float(head).squareRoot(),
            projection: .latent(
                LatentSpec(
                    queryRank: config.isNull("q_lora_rank")
                        ? nil : try config.optionalSize(["q_lora_rank", "attention.q_lora_rank"]) ?? 768,
                    keyValueRank: try config.size("kv_lora_rank", "attention.kv_lora_rank"), turning: turning,
                    valueWidth: value, epsilon: 1e-6)),
            rotary: rotary, inputBias: false, outputBias: false)
        attention.inputBias = try config.bias("attention_bias", ggufTensor: "blk.0.attn_q_a.bias")
        attention.outputBias = attention.inputBias
        let network = try config.gated(sizes.hidden, bias: config.bias("mlp_bias", ggufTensor: "blk.0.ffn_up.bias"))
        config.ignore(["pretraining_tp", "qk_head_dim"])
        let scales = try MuParametrization(config, sizes)
        return try config.decoder(
            sizes, stem: scales.stem, finalNorm: norm, head: scales.head(config.headWeight(default: .tied))
        ) { _ in
            LayerSpec(
                wiring: .before(norm), attention: attention, feedForward: .dense(network), branchScale: scales.branch)
        }
    }

    /// Files have `[still | turning]` in each head of queries, and keys above values in each head of both.
    private static func layer(
        _ spec: ModelSpec, query: TensorSource, queryUp: TensorSource, keyValueDown: TensorSource,
        keyValueUp: TensorSource
    ) -> [LayerSlot: TensorSource] {
        guard let attention = spec.layers.first?.attention, case .latent(let latent) = attention.projection else {
            return [:]
        }
        let (heads, still) = (attention.heads, attention.headWidth - latent.turning)
        func rows(_ parts: Range<Int>..., of size: Int, _ source: TensorSource) -> TensorSource {
            let order = (0..<heads).flatMap { head in parts.joined().map { head * size + $0 } }
            return .rows(order, of: heads * size, source)
        }
        let both = still + latent.valueWidth
        let down = [latent.keyValueRank, latent.turning]
        return [
            .latent(.queryUp): rows(
                still..<attention.headWidth, 0..<still, of: attention.headWidth,
                latent.queryRank == nil ? query : queryUp),
            .latent(.keyValueDown): .part(0, of: down, keyValueDown),
            .latent(.turningKey): .part(1, of: down, keyValueDown),
            .latent(.keyUp): rows(0..<still, of: both, keyValueUp),
            .latent(.valueUp): rows(still..<both, of: both, keyValueUp),
        ]
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec,
            layer(
                spec, query: "self_attn.q_proj", queryUp: "self_attn.q_b_proj",
                keyValueDown: "self_attn.kv_a_proj_with_mqa", keyValueUp: "self_attn.kv_b_proj"
            ).with([
                .latent(.queryDown): "self_attn.q_a_proj", .latent(.queryNorm): "self_attn.q_a_layernorm",
                .latent(.keyValueNorm): "self_attn.kv_a_layernorm",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(
            spec, harmless: ["rope_factors_long.weight", "rope_factors_short.weight"],
            layer(spec, query: "attn_q", queryUp: "attn_q_b", keyValueDown: "attn_kv_a_mqa", keyValueUp: "attn_kv_b")
                .with([
                    .latent(.queryDown): "attn_q_a", .latent(.queryNorm): "attn_q_a_norm",
                    .latent(.keyValueNorm): "attn_kv_a_norm",
                ]))
    }
}
