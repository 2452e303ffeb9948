package import TinyLayers

// Names that many families share.

extension [LayerSlot: TensorSource] {
    /// What most folders of the last years call a layer's tensors.
    package static let usual: Self = [
        .norm(.beforeAttention): "input_layernorm", .norm(.beforeFeedForward): "post_attention_layernorm",
        .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj",
        .attentionOutput: "self_attn.o_proj", .queryNorm: "self_attn.q_norm", .keyNorm: "self_attn.k_norm",
        .network(.gate): "mlp.gate_proj", .network(.up): "mlp.up_proj", .network(.down): "mlp.down_proj",
        .router: "mlp.gate", .expert(.gate): "mlp.experts.*.gate_proj", .expert(.up): "mlp.experts.*.up_proj",
        .expert(.down): "mlp.experts.*.down_proj", .shared(.gate): "mlp.shared_experts.gate_proj",
        .shared(.up): "mlp.shared_experts.up_proj", .shared(.down): "mlp.shared_experts.down_proj",
    ]

    /// Queries, keys and values where one tensor holds all three.
    package static func fused(_ name: TensorSource, _ order: FusedRows) -> Self {
        [.query: order.source(0, name), .key: order.source(1, name), .value: order.source(2, name)]
    }

    /// Gate and up of a network where one tensor holds both, one above the other.
    package static func fusedGate(_ name: TensorSource, _ layer: LayerSpec) -> Self {
        guard case .dense(let network) = layer.feedForward else { return [:] }
        return fusedGate(name, hidden: network.hidden)
    }

    /// Gate and up where one tensor holds both, one above the other.
    package static func fusedGate(_ name: TensorSource, hidden: Int) -> Self {
        [
            .network(.gate): .part(0, of: [hidden, hidden], name), .network(.up): .part(1, of: [hidden, hidden], name),
        ]
    }
}

extension ConfigReader {
    /// What stands in front of names: models saved without their head have nothing there, as this tensor tells.
    package func prefix(_ prefix: String, unless bare: String) -> String { hasTensor(bare) ? "" : prefix }
}

extension [String] {
    /// A head that some files hold although it is the token table.
    package static func tiedHead(_ spec: ModelSpec) -> Self { spec.head?.weight == .tied ? ["lm_head.weight"] : [] }
}

extension NameMap {
    /// Names of most folders of the last years: "model.layers.3.self_attn.q_proj.weight".
    ///
    /// - Parameter prefixes: what may stand in front; a model saved without its head has nothing there.
    package static func usual(
        _ config: ConfigReader, _ spec: ModelSpec, prefixes: [String] = ["model.", ""], harmless: [String] = [],
        model: [ModelSlot: TensorSource] = [:], _ layer: [LayerSlot: TensorSource] = [:]
    ) -> NameMap {
        let table: TensorSource = model[.tokenTable] ?? "embed_tokens"
        let prefix = prefixes.first { config.hasTensor($0 + table.name + ".weight") } ?? prefixes.first ?? ""
        return NameMap(
            prefix: prefix, layers: "layers",
            harmless: ["rotary_emb.inv_freq"] + .tiedHead(spec) + harmless,
            model: [.tokenTable: "embed_tokens", .finalNorm: "norm", .head: .whole("lm_head.weight")].with(model),
            layer: .usual.with(layer))
    }
}

/// In which order one tensor holds the rows of queries, keys and values.
package enum FusedRows: Sendable {
    /// All queries, all keys, all values.
    case stacked(AttentionSpec)
    /// For each head of keys its queries, itself, its values.
    case byGroup(AttentionSpec)
    /// In so many equal blocks, each the queries, values and keys of its heads.
    case queryValueKey(AttentionSpec, blocks: Int)

    /// - Parameter index: 0 for queries, 1 for keys, 2 for values.
    package func source(_ index: Int, _ name: TensorSource) -> TensorSource {
        switch self {
        case .stacked(let spec):
            let (queries, keys) = (spec.heads * spec.headWidth, spec.keyValueHeads * spec.headWidth)
            return .part(index, of: [queries, keys, keys], name)
        case .byGroup(let spec):
            let queries = spec.heads / spec.keyValueHeads * spec.headWidth
            let (start, count) = [(0, queries), (queries, spec.headWidth), (queries + spec.headWidth, spec.headWidth)][
                index]
            let group = queries + 2 * spec.headWidth
            let order = (0..<spec.keyValueHeads).flatMap { number in
                (0..<count).map { number * group + start + $0 }
            }
            return .rows(order, of: spec.keyValueHeads * group, name)
        case .queryValueKey(let spec, let blocks):
            let size = spec.heads * spec.headWidth / blocks
            let place = [0, 2, 1][index]
            let order = (0..<blocks).flatMap { block in (0..<size).map { (block * 3 + place) * size + $0 } }
            return .rows(order, of: 3 * spec.heads * spec.headWidth, name)
        }
    }
}
