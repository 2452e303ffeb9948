import TinyJSON
import TinyLayers

/// CLIP: a tower for texts and one for images, whose vectors can be compared.
///
/// Radford et al. 2021, arXiv:2103.00020
enum CLIP: Family {
    static let name = "CLIP"
    static let modelTypes = ["clip"]
    static let ggufArchitectures: [String] = []

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        // Where there is a text_config_dict, the reference takes it and its class's defaults.
        let text = try config.object(
            "text_config_dict", "text_config",
            defaults: [
                "vocab_size": .integer(49408), "hidden_size": .integer(512), "intermediate_size": .integer(2048),
                "num_attention_heads": .integer(8), "num_hidden_layers": .integer(12),
                "max_position_embeddings": .integer(77), "hidden_act": .string("quick_gelu"),
                "layer_norm_eps": .number(1e-5), "eos_token_id": .integer(49407),
            ])
        config.ignore([
            "text_config", "vision_config", "text_config_dict", "vision_config_dict", "initializer_factor",
            "logit_scale_init_value", "tie_word_embeddings",
        ])
        let sizes = try text.sizes()
        let norm = try text.layerNorm()
        let end = try text.integer("eos_token_id") ?? 49407
        return ModelSpec(
            vocabulary: sizes.vocabulary, width: sizes.width, context: sizes.context,
            stem: .tokens(TokenStemSpec(positions: .learned(rows: sizes.context))),
            layers: try layers(text, sizes, norm, reach: .causal), finalNorm: norm, head: nil,
            pooler: PoolerSpec(
                // Files of the first days say 2, which is not the end's id; the reference looks for the largest id then.
                row: end == 2 ? .largestToken : .token(end), width: try projectionWidth(config), bias: false,
                activation: .none, unitLength: true))
    }

    static func imageTower(_ config: ConfigReader) throws -> (spec: ModelSpec, names: NameMap)? {
        guard config.hasTensor("vision_model.embeddings.class_embedding") else { return nil }
        let vision = try config.object(
            "vision_config_dict", "vision_config",
            defaults: [
                "hidden_size": .integer(768), "intermediate_size": .integer(3072), "num_attention_heads": .integer(12),
                "num_hidden_layers": .integer(12), "num_channels": .integer(3), "image_size": .integer(224),
                "patch_size": .integer(32), "hidden_act": .string("quick_gelu"), "layer_norm_eps": .number(1e-5),
                "vocab_size": .integer(1),
            ])
        let (image, patch) = (try vision.size("image_size"), try vision.size("patch_size"))
        guard patch <= image, image <= 1 << 14 else {
            throw vision.error("patch_size", "is \(patch) for images of \(image) pixels a side")
        }
        let norm = try vision.layerNorm()
        let stem = PatchStemSpec(
            channels: try vision.size("num_channels"), image: image, patch: patch, norm: norm)
        let sizes = try vision.sizes(context: stem.rows)
        let spec = ModelSpec(
            vocabulary: 0, width: sizes.width, context: stem.rows, stem: .patches(stem),
            layers: try layers(vision, sizes, norm, reach: .everything), finalNorm: nil, head: nil,
            pooler: PoolerSpec(
                row: .first, norm: norm, width: try projectionWidth(config), bias: false, activation: .none,
                unitLength: true))
        let conv: TensorSource = .flattened([sizes.width, stem.channels, patch, patch], "embeddings.patch_embedding")
        let names = tower(
            "vision_model.",
            [
                .patches: conv, .classVector: .flattened([sizes.width], .bare("embeddings.class_embedding")),
                .stemNorm: "pre_layrnorm", .poolerNorm: "post_layernorm", .pooler: .whole("visual_projection.weight"),
            ])
        return (spec, names)
    }

    private static func projectionWidth(_ config: ConfigReader) throws -> Int {
        try config.optionalSize(["projection_dim"]) ?? 512
    }

    private static func layers(
        _ config: ConfigReader, _ sizes: Sizes, _ norm: NormSpec, reach: AttentionSpec.Reach
    ) throws -> [LayerSpec] {
        var attention = config.attention(sizes, rotary: nil, inputBias: true, outputBias: true)
        attention.reach = reach
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .geluQuick), bias: true)
        config.ignore(["projection_dim", "dropout", "initializer_factor", "logit_scale_init_value"])
        return Array(
            repeating: LayerSpec(wiring: .before(norm), attention: attention, feedForward: .dense(network)),
            count: sizes.depth)
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        return tower(
            "text_model.",
            [
                .tokenTable: "embeddings.token_embedding", .finalNorm: "final_layer_norm",
                .pooler: .whole("text_projection.weight"),
            ])
    }

    private static func tower(_ prefix: String, _ own: [ModelSlot: TensorSource]) -> NameMap {
        NameMap(
            prefix: prefix, layers: "encoder.layers", harmless: ["embeddings.position_ids", "logit_scale"],
            model: [.positionTable: "embeddings.position_embedding"].with(own),
            layer: [
                .norm(.beforeAttention): "layer_norm1", .norm(.beforeFeedForward): "layer_norm2",
                .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj",
                .attentionOutput: "self_attn.out_proj", .network(.up): "mlp.fc1", .network(.down): "mlp.fc2",
            ])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
