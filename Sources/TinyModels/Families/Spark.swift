import TinyLayers

/// Spark-X2.5: two kinds of layers with a rotation each, and a gate on every head's result.
///
/// iFLYTEK 2026; gates of heads: Qiu et al. 2025, arXiv:2505.06708
enum Spark: Family {
    static let name = "Spark-X2.5"
    static let modelTypes = ["spark2_5"]
    static let ggufArchitectures = ["spark2_5"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms()
        let full = try config.rotary(sizes, turnsParts: true, of: .unlimited)
        let local = try config.rotary(sizes, turnsParts: true, of: .windowed)
        var attention = config.attention(sizes, rotary: full)
        attention.headGate = true
        let network = try config.gated(sizes.hidden, .gelu)
        try config.require(["headwise_attn_output_gate": true, "attention_bias": false, "mlp_bias": false])
        if let mode = try config.string("gate_attn_act_mode"), mode != "sigmoid" {
            throw config.error("gate_attn_act_mode", "is \"\(mode)\"; only sigmoid is supported")
        }
        let reaches = try config.reaches(sizes, window: config.window()) { !($0 + 1).isMultiple(of: 4) }
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .tied))) {
            LayerSpec(
                wiring: .before(norm), attention: attention.reaching(reaches[$0], windowed: local),
                feedForward: .dense(network))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec, model: [.tokenTable: "embedding"],
            [LayerSlot: TensorSource].fused("self_attn.q_k_v_proj", .stacked(spec.layers[0].attention)).with([
                .attentionOutput: "self_attn.out_proj", .headGate: "self_attn.g_proj",
            ]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .gguf(spec, .fused("attn_qkv", .stacked(spec.layers[0].attention)))
    }
}
