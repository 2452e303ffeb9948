import TinyLayers

/// ERNIE 4.5 with experts: neighbours turn together, a bias takes part in the choice of experts only.
///
/// Baidu 2025, "ERNIE 4.5 Technical Report"
enum ERNIEMoE: Family {
    static let name = "ERNIE-4.5-MoE"
    static let modelTypes = ["ernie4_5_moe"]
    static let ggufArchitectures = ["ernie4_5-moe"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1e-5)
        let bias = try config.bias("use_bias", ggufTensor: "blk.0.attn_q.bias")
        let attention = config.attention(
            sizes, rotary: try config.rotary(sizes, pairing: .neighbours, defaultBase: 500_000), inputBias: bias,
            outputBias: bias)
        let dense = try config.gated(sizes.hidden, bias: bias)
        var mixture = try config.mixture(sizes)
        let least = Float(try config.optionalNumber("moe_norm_min") ?? 1e-12)
        guard least > 0 else { throw config.error("moe_norm_min", "is \(least); a number above 0 is expected") }
        if let gate = try config.string("moe_gate"), gate != "topk" {
            throw config.error("moe_gate", "is \"\(gate)\"; topk is supported")
        }
        mixture.normalization = .sumAtLeast(least)
        mixture.choiceBias = try config.bool("moe_use_aux_free") ?? true
        let shared = try config.integer("moe_num_shared_experts", "expert_shared_count") ?? 2
        guard (0...1024).contains(shared) else {
            throw config.error("moe_num_shared_experts", "is \(shared); a number from 0 to 1024 is expected")
        }
        if shared > 0 {
            let network = try config.gated(shared * mixture.expert.hidden, bias: bias)
            mixture.shared = MixtureSpec.Shared(network: network, isGated: false)
        }
        config.ignore([
            "moe_capacity", "num_nextn_predict_layers",  // of training
            "expert_shared_feed_forward_length",  // not what it says in files of this family
        ])
        let first = try config.integer("moe_layer_start_index", "leading_dense_block_count") ?? 1
        var last = try config.integer("moe_layer_end_index") ?? -1
        if last == -1 { last = sizes.depth - 1 }
        let interval = try config.optionalSize(["moe_layer_interval", "interleave_moe_layer_step"]) ?? 1
        let head = HeadSpec(weight: try config.headWeight(default: .tied), bias: bias)
        return try config.decoder(sizes, finalNorm: norm, head: head) { layer in
            let isSparse = layer >= first && layer <= last && (layer + 1).isMultiple(of: interval)
            return LayerSpec(
                wiring: .before(norm), attention: attention,
                feedForward: isSparse ? .mixture(mixture) : .dense(dense))
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec, harmless: ["model.mtp*"],
            model: [.head: .parts(weight: .whole("lm_head.weight"), bias: .whole("lm_head.bias"))],
            [.choiceBias: .flattened([1, spec.experts], .bare("mlp.moe_statics.e_score_correction_bias"))])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let name = "exp_probs_b.bias"
        // Some converters keep the one row of the folder's tensor.
        let hasRow = (0..<spec.layers.count).contains { config.rows(ofTensor: "blk.\($0).\(name)") == 1 }
        return .gguf(spec, [.choiceBias: hasRow ? .flattened([1, spec.experts], .bare(name)) : .bare(name)])
    }
}
