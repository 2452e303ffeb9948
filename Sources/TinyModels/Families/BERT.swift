import TinyLayers

/// BERT and MiniLM: encoders that see a text in both directions. A head for hidden words and a pooler, where the file
/// has them.
///
/// Devlin et al. 2018, arXiv:1810.04805; Wang et al. 2020, arXiv:2002.10957
enum BERT: Family {
    static let name = "BERT"
    static let modelTypes = ["bert"]
    static let ggufArchitectures = ["bert"]

    static func spec(_ config: ConfigReader) throws -> ModelSpec {
        let sizes = try config.sizes()
        let norm = try config.layerNorm(default: 1e-12)
        let position = try config.string("position_embedding_type") ?? "absolute"
        guard position == "absolute" else {
            throw config.error("position_embedding_type", "is \"\(position)\"; only absolute is supported")
        }
        if try config.bool("attention.causal") == true || config.bool("is_decoder") == true {
            throw config.error("is_decoder", "is true; only encoders of this family are supported")
        }
        config.ignore([
            "classifier_dropout", "hidden_dropout_prob", "attention_probs_dropout_prob", "pooling_type",
            "tie_word_embeddings",
        ])
        let types =
            try config.optionalSize(["type_vocab_size"]) ?? config.rows(ofTensor: "token_types.weight") ?? 2
        var attention = config.attention(sizes, rotary: nil, inputBias: true, outputBias: true)
        attention.reach = .everything
        let network = NetworkSpec(
            form: .plain, hidden: sizes.hidden, activation: try config.activation(default: .gelu), bias: true)
        let layer = LayerSpec(
            wiring: .sequential(NormPlacement(onSum: norm)), attention: attention, feedForward: .dense(network))
        let prefix = prefix(config)
        let predicts = config.hasTensor("cls.predictions.transform.dense.weight")
        return ModelSpec(
            vocabulary: sizes.vocabulary, width: sizes.width, context: sizes.context,
            stem: .tokens(TokenStemSpec(positions: .learned(rows: sizes.context), types: types, norm: norm)),
            layers: Array(repeating: layer, count: sizes.depth), finalNorm: nil,
            head: predicts
                ? HeadSpec(
                    weight: try config.headWeight(default: .tied), bias: true,
                    transform: HeadSpec.Transform(activation: network.activation, norm: norm)) : nil,
            pooler: config.hasTensor(prefix + "pooler.dense.weight")
                ? PoolerSpec(row: .first, width: sizes.width, bias: true, activation: .tanh) : nil)
    }

    private static func prefix(_ config: ConfigReader) -> String {
        config.hasTensor("bert.embeddings.word_embeddings.weight") ? "bert." : ""
    }

    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap {
        let prefix = prefix(config)
        // The first files call the parts of a norm gamma and beta.
        let isOld = config.hasTensor(prefix + "embeddings.LayerNorm.gamma")
        func norm(_ name: String) -> TensorSource {
            isOld ? .parts(weight: .bare(name + ".gamma"), bias: .bare(name + ".beta")) : .named(name)
        }
        func inner(_ name: String) -> TensorSource { .named(prefix + name) }
        return NameMap(
            layers: prefix + "encoder.layer",
            harmless: [
                "embeddings.position_ids", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias",
                "cls.seq_relationship.weight", "cls.seq_relationship.bias",
            ],
            model: [
                .tokenTable: inner("embeddings.word_embeddings"),
                .positionTable: inner("embeddings.position_embeddings"),
                .typeTable: inner("embeddings.token_type_embeddings"), .stemNorm: norm(prefix + "embeddings.LayerNorm"),
                .pooler: inner("pooler.dense"), .headTransform: "cls.predictions.transform.dense",
                .headNorm: norm("cls.predictions.transform.LayerNorm"),
                .head: .parts(weight: .bare("cls.predictions.decoder.weight"), bias: .bare("cls.predictions.bias")),
            ],
            layer: [
                .query: "attention.self.query", .key: "attention.self.key", .value: "attention.self.value",
                .attentionOutput: "attention.output.dense", .norm(.onAttentionSum): norm("attention.output.LayerNorm"),
                .network(.up): "intermediate.dense", .network(.down): "output.dense",
                .norm(.onFeedForwardSum): norm("output.LayerNorm"),
            ])
    }

    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap { .gguf(spec) }
}
