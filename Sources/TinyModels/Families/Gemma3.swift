import TinyLayers

/// Gemma 3, its text alone: as Gemma 2 with norms of queries and keys in place of caps, five layers with a window to
/// one without, and a rotation for each of the two kinds.
///
/// Gemma Team 2025, arXiv:2503.19786
enum Gemma3: Family {
    static let name = "Gemma 3"
    static let modelTypes = ["gemma3_text", "gemma3"]
    static let ggufArchitectures = ["gemma3"]

    static func spec(_ outer: ConfigReader) throws -> ModelSpec {
        let config = try outer.object("text_config") ?? outer
        if config !== outer {  // a model that sees images too
            outer.ignore([
                "vision_config", "mm_tokens_per_image", "boi_token_index", "eoi_token_index", "image_token_index",
            ])
            config.ignore(["tie_word_embeddings"])  // the outer one counts
            config.ignoreHarmless()
        }
        config.assume([
            "vocab_size": 262_208, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
            "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "max_position_embeddings": 131_072,
            "query_pre_attn_scalar": 256, "sliding_window": 4096,
        ])
        let sizes = try config.sizes()
        let norm = try config.rms()
        var attention = try Gemma.attention(
            config, sizes, rotary: config.rotary(sizes, defaultBase: 1_000_000, of: .unlimited), largest: 62)
        attention.headNorm = HeadNormSpec(norm: norm, span: .head, afterRotation: false)
        let windowed = try config.rotary(sizes, of: .windowed)
        let pattern = try config.optionalSize(["sliding_window_pattern", "_sliding_window_pattern"]) ?? 6
        let window = try config.window()
        let reaches = try config.reaches(sizes, window: window) {
            !($0 + 1).isMultiple(of: pattern) && !(config.isGGUF && window == nil)
        }
        config.ignore(["attn_logit_softcapping"])  // read by no class of this family
        let layers = try Gemma2.layers(config, sizes, attention, norm)
        let cap = try config.positive("final_logit_softcapping")
        return try config.decoder(
            sizes, stem: Gemma.stem(sizes), finalNorm: norm,
            head: HeadSpec(weight: outer.headWeight(default: .tied), cap: cap.map { Float($0) })
        ) {
            layers(reaches[$0], windowed)
        }
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .usual(
            config, spec, prefixes: ["model.", "", "language_model.model.", "model.language_model."],
            harmless: ["", "model."].flatMap { [$0 + "vision_tower.*", $0 + "multi_modal_projector.*"] },
            model: [.finalNorm: .plusOne("norm")],
            Gemma2.norms.with([.queryNorm: .plusOne("self_attn.q_norm"), .keyNorm: .plusOne("self_attn.k_norm")]))
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
