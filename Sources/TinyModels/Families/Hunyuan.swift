import TinyLayers

/// Hunyuan without experts: LLaMA's shape with norms of queries and keys behind the rotation, whose base is stretched.
///
/// Tencent 2025, https://github.com/Tencent-Hunyuan/Hunyuan-7B
enum Hunyuan: Family {
    static let name = "Hunyuan"
    static let modelTypes = ["hunyuan_v1_dense"]
    static let ggufArchitectures = ["hunyuan-dense"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1e-5)
        var attention = config.attention(
            sizes, rotary: try config.rotary(sizes),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias"),
            outputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_output.bias"))
        attention.headNorm = HeadNormSpec(norm: norm, span: .head, afterRotation: true)
        let network = try config.gated(sizes.hidden)
        try refuseOthers(config, sizes)
        return try config.decoder(sizes, finalNorm: norm, head: HeadSpec(weight: config.headWeight(default: .own))) {
            _ in LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network))
        }
    }

    private static func refuseOthers(_ config: ConfigReader, _ sizes: Sizes) throws {
        try config.require(["use_qk_norm": true, "use_rotary_pos_emb": true, "use_cla": false, "mlp_bias": false])
        if let type = try config.string("norm_type"), type != "rms" {
            throw config.error("norm_type", "is \"\(type)\"; only rms is supported")
        }
        // The reference's class does not heed it, so it must say what follows from the others.
        let stated = try config.optionalSize(["head_dim", "attention.key_length"]) ?? sizes.width / sizes.heads
        if let width = try config.optionalSize(["attention_head_dim"]), width != stated {
            throw config.error("attention_head_dim", "is \(width), and heads have \(stated) elements")
        }
        config.ignore([
            "cla_share_factor", "pretraining_tp",
            "add_classification_head", "class_num", "dense_list", "pool_type",  // of another head
            "im_end_id", "im_newline_id", "im_start_id", "mask_init_id", "text_end_id", "text_start_id", "pad_id",
            "org_vocab_size", "eod_token_id",
            "rope.scaling.original_context_length",  // GGUF's scaling is none
        ])
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec, [.queryNorm: "self_attn.query_layernorm", .keyNorm: "self_attn.key_layernorm"])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
