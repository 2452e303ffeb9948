import TinyLayers

/// Hunyuan-A13B: norms of queries and keys after the rotation, experts in every layer and a shared network beside them.
///
/// Tencent 2025, "Hunyuan-A13B Technical Report"
enum HunyuanMoE: Family {
    static let name = "Hunyuan-MoE"
    static let modelTypes = ["hunyuan_v1_moe", "hunyuan"]
    static let ggufArchitectures = ["hunyuan-moe"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        try refuse(config)
        let sizes = try config.sizes()
        let norm = try config.rms(default: 1e-5)
        var attention = config.attention(
            sizes, rotary: try config.rotary(sizes),
            inputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_q.bias"),
            outputBias: try config.bias("attention_bias", ggufTensor: "blk.0.attn_output.bias"))
        if try config.bool("use_qk_norm") ?? true {
            attention.headNorm = HeadNormSpec(norm: norm, span: .head, afterRotation: true)
        }
        // Sizes may be lists with a number for each layer.
        func perLayer(_ names: String...) throws -> [Int]? { try config.sizes(perLayer: sizes.depth, names) }
        let chosen = try perLayer("moe_topk", "num_experts_per_tok", "expert_used_count")
        let hidden = try perLayer("moe_intermediate_size", "expert_feed_forward_length")
        let shared = try perLayer("num_shared_expert", "expert_shared_count")
        let hasShared = try config.bool("use_mixed_mlp_moe") ?? true
        let sharedHidden = try config.optionalSize(["expert_shared_feed_forward_length"]) ?? sizes.hidden
        let normalization = try config.normalization(default: true)
        return try config.decoder(sizes, finalNorm: norm) { layer in
            var mixture = try config.mixture(sizes, hidden: hidden?[layer] ?? sizes.hidden, chosen: chosen?[layer] ?? 1)
            mixture.normalization = normalization
            if hasShared {
                let count = shared?[layer] ?? 1
                guard count <= 1024 else {
                    throw config.error("num_shared_expert", "has \(count) in it; at most 1024 are supported")
                }
                let network = try config.gated(count * sharedHidden)
                mixture.shared = MixtureSpec.Shared(network: network, isGated: false)
            }
            return LayerSpec(wiring: .before(norm), attention: attention, feedForward: .mixture(mixture))
        }
    }

    /// What other models of this name do.
    private static func refuse(_ config: ConfigReader) throws {
        try config.refuse([
            "use_cla", "use_mla", "mlp_bias", "position_embedding_xdrope", "group_limited_greedy", "moe_drop_tokens",
            "add_classification_head",
        ])
        if try config.bool("use_rotary_pos_emb") == false { throw config.error("use_rotary_pos_emb", "is false") }
        if let norm = try config.string("norm_type"), norm != "rms" {
            throw config.error("norm_type", "is \"\(norm)\"; rms is supported")
        }
        if let dense = try config.integer("moe_layer_num_skipped"), dense != 0 {
            throw config.error("moe_layer_num_skipped", "is \(dense); layers without experts are not supported")
        }
        if let scale = try config.optionalNumber("routed_scaling_factor"), scale != 1 {
            throw config.error("routed_scaling_factor", "is \(scale); 1 is supported")
        }
        config.ignore([
            // Of what is switched off above, of classifiers, of images.
            "cla_share_factor", "kv_lora_rank", "q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim",
            "n_group", "topk_group", "xdrope_section", "moe_random_routing_dropped_token", "pretraining_tp",
            "dense_list", "class_num", "pool_type", "skip_cls_token", "mask_init_id", "org_vocab_size",
            "num_media_embeds", "anyres_pooling_size", "anyres_vit_max_image_size", "anyres_vit_two_views",
            "vit_add_patchemb_bias", "vit_input_resolution", "vit_mapping_type", "vit_norm_type", "vit_patch",
            "vit_path", "vit_remove_prenorm", "vit_token", "vit_type", "vit_used_rms_norm",
            // Tokens.
            "eod_token_id", "pad_id", "im_start_id", "im_end_id", "im_newline_id", "image_token_id", "text_start_id",
            "text_end_id", "video_start_id", "video_end_id",
        ])
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec,
            [
                .queryNorm: "self_attn.query_layernorm", .keyNorm: "self_attn.key_layernorm", .router: "mlp.gate.wg",
                .shared(.gate): "mlp.shared_mlp.gate_proj", .shared(.up): "mlp.shared_mlp.up_proj",
                .shared(.down): "mlp.shared_mlp.down_proj",
            ])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
