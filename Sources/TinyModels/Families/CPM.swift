import TinyLayers

/// CPM-Ant: learned vectors in front of the text, positions as biases by distance, every token sees the whole text.
///
/// Zhang et al. 2021, arXiv:2012.00413, for the line; Raffel et al. 2019, arXiv:1910.10683, for the biases
enum CPMAnt: Family {
    static let name = "CPM-Ant"
    static let modelTypes = ["cpmant"]
    static let ggufArchitectures: [String] = []
    /// The segment of a text; that of the vectors in front is 0.
    private static let textSegment = 2

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let prefix = try config.optionalSize(["prompt_length"]) ?? 32
        let segments = try config.optionalSize(["segment_types"]) ?? 32
        let prompts = try config.optionalSize(["prompt_types"]) ?? 32
        guard segments > textSegment, segments <= 1 << 10, prompts > 2, prompts <= 1 << 10, prefix <= 1 << 10 else {
            throw config.error(
                "segment_types",
                "is \(segments) beside \(prompts) \"prompt_types\" of \(prefix); 3 to 1024 are supported")
        }
        return try config.buckets(
            defaultBuckets: 512, segmentRows: segments * segments,
            textToPrefix: textSegment * segments, prefixToText: textSegment, scale: 1, sumScale: 1, prefix: prefix,
            head: HeadSpec(weight: .own))
    }

    /// The table holds vocabulary and prefixes, of which the third is used; segments' vectors are added once and for all.
    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let types = (try? config.optionalSize(["prompt_types"])) ?? 32
        let segments: TensorSource = .whole("cpmant.segment_embedding.weight")
        let table: TensorSource = .whole("cpmant.input_embedding.weight")
        let prefix = spec.prefix
        let rows = [spec.vocabulary, 2 * prefix, prefix, (types - 3) * prefix]
        // A head of its own, with rows for prefixes or not; without one, the table's rows.
        let headRows = config.rows(ofTensor: "lm_head.weight")
        let head: TensorSource = headRows == nil ? table : .whole("lm_head.weight")
        return .buckets(
            "cpmant.", spec,
            model: [
                .tokenTable: .added(.part(0, of: rows, table), row: textSegment, segments),
                .prefix: .added(.part(2, of: rows, table), row: 0, segments),
                .head: headRows == spec.vocabulary ? head : .part(0, of: rows, head),
            ]
        ) { source, _ in source }
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}

/// CPM-Bee for one segment: every product divided by the root of its inputs' number, and every sum made smaller.
///
/// OpenBMB 2023, github.com/OpenBMB/CPM-Bee; the divisors: Yang et al. 2022, arXiv:2203.03466
enum CPMBee: Family {
    static let name = "CPM-Bee"
    static let modelTypes = ["cpmbee"]
    static let ggufArchitectures: [String] = []

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let segments = try config.optionalSize(["position_bias_num_segment_buckets"]) ?? 32
        let width = try config.size("hidden_size")
        let scale = 1 / Float(width).squareRoot()
        // Of tokens with subscripts, which a plain text has none of.
        config.ignore(["distance_scale"])
        var spec = try config.buckets(
            defaultBuckets: 256, segmentRows: segments, textToPrefix: 0, prefixToText: 0, scale: scale,
            sumScale: 1 / 1.05, prefix: 0, head: HeadSpec(weight: .tied, scale: scale))
        guard let cut = try config.lists(ofBools: "mask_modules") else { return spec }
        guard cut.count == spec.layers.count, cut.allSatisfy({ $0.count == 2 }) else {
            throw config.error("mask_modules", "should hold a pair for each of the \(spec.layers.count) layers")
        }
        for (layer, cut) in cut.enumerated() {
            (spec.layers[layer].hasAttention, spec.layers[layer].hasFeedForward) = (!cut[0], !cut[1])
        }
        return spec
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        .buckets(
            "cpmbee.", spec, model: [.tokenTable: .whole("cpmbee.input_embedding.weight")]
        ) { source, inputs in .scaled(1 / Float(inputs).squareRoot(), source) }
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}

extension ConfigReader {
    /// What both have in common.
    fileprivate func buckets(
        defaultBuckets: Int, segmentRows: Int, textToPrefix: Int, prefixToText: Int, scale: Float, sumScale: Float,
        prefix: Int, head: HeadSpec
    ) throws -> ModelSpec {
        let sizes = try sizes(context: 2048)
        let norm = try rms()
        let count = try optionalSize(["position_bias_num_buckets"]) ?? defaultBuckets
        let distance = try optionalSize(["position_bias_max_distance"]) ?? 2048
        guard count >= 4, count.isMultiple(of: 2), distance > count / 4, count <= 1 << 20, segmentRows <= 1 << 20 else {
            throw error(
                "position_bias_num_buckets", "is \(count), with distances up to \(distance): an even number is expected"
            )
        }
        var attention = attention(sizes, rotary: nil)
        attention.bias = .buckets(
            BucketSpec(
                buckets: count, distance: distance, rows: count + segmentRows, textToPrefix: count + textToPrefix,
                prefixToText: count + prefixToText))
        attention.reach = .everything
        ignore(["dropout_p", "init_std", "half", "tie_word_embeddings"])  // the head is what the class says
        let network = NetworkSpec(form: .gated, hidden: sizes.hidden, activation: .gelu, bias: false)
        return try decoder(
            sizes, stem: TokenStemSpec(scale: scale, prefix: prefix), finalNorm: norm, head: head
        ) { _ in
            LayerSpec(
                wiring: .before(norm), attention: attention, feedForward: .dense(network), sumScale: sumScale)
        }
    }
}

extension NameMap {
    /// - Parameter linear: what a matrix with so many inputs goes through.
    fileprivate static func buckets(
        _ prefix: String, _ spec: ModelSpec, model: [ModelSlot: TensorSource],
        linear: (TensorSource, _ inputs: Int) -> TensorSource
    ) -> NameMap {
        guard let layer = spec.layers.first, case .dense(let network) = layer.feedForward else {
            return NameMap { _ in nil }
        }
        let inner = layer.attention.heads * layer.attention.headWidth
        let attention = "self_att.self_attention."
        func from(_ name: String, _ inputs: Int) -> TensorSource { linear(.named(name), inputs) }
        return NameMap(
            prefix: prefix, layers: "encoder.layers", harmless: ["lm_head.weight", "position_ids"],
            model: model.with([
                .finalNorm: "encoder.output_layernorm",
                .positionBias: .bare("position_bias.relative_attention_bias"),
            ]),
            layer: [
                .norm(.beforeAttention): "self_att.layernorm_before_attention",
                .norm(.beforeFeedForward): "ffn.layernorm_before_ffn",
                .query: from(attention + "project_q", spec.width), .key: from(attention + "project_k", spec.width),
                .value: from(attention + "project_v", spec.width),
                .attentionOutput: from(attention + "attention_out", inner),
                .network(.gate): from("ffn.ffn.w_in.w_0", spec.width),
                .network(.up): from("ffn.ffn.w_in.w_1", spec.width),
                .network(.down): from("ffn.ffn.w_out", network.hidden),
            ])
    }
}
