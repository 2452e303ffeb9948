package import TinyTensor

/// Which element type each tensor of a GGUF file gets: the rules by which llama.cpp mixes them, so that a type means the
/// same here as there.
package struct QuantizationRules {
    package let type: QuantizationType
    /// The token table is the head's too, and gets the head's type.
    private let isTied: Bool
    private let layers: Int
    private let experts: Int
    private let hasImportance: Bool
    private let sensitiveOutput: Bool
    /// Where a tensor stands among those that make values, by layer.
    private let valueRanks: [String: Int]

    /// - Parameters:
    ///   - names: of all tensors.
    ///   - sensitiveOutput: whether the family's head wants eight bits, and its other matrices fewer upgrades.
    package init(
        _ type: QuantizationType, names: [String], layers: Int, experts: Int, hasImportance: Bool = false,
        sensitiveOutput: Bool = false
    ) {
        self.type = type
        self.layers = layers
        self.experts = experts
        self.hasImportance = hasImportance
        self.sensitiveOutput = sensitiveOutput
        isTied = !names.contains("output.weight")
        let values = names.filter { Role($0) == .value || Role($0) == .fused }
            .sorted { (Self.layer($0) ?? 0, $0) < (Self.layer($1) ?? 0, $1) }
        valueRanks = Dictionary(zip(values, 0...)) { first, _ in first }
    }

    private enum Role {
        case table, head, value, fused, attentionOutput, down, other

        init(_ name: String) {
            switch name {
            case "output.weight": self = .head
            case "token_embd.weight": self = .table
            case _ where name.contains("attn_qkv.weight"): self = .fused
            case _ where name.contains("attn_v.weight") || name.contains("attn_kv_b.weight"): self = .value
            case _ where name.contains("attn_output.weight"): self = .attentionOutput
            case _ where name.contains("ffn_down"): self = .down
            default: self = .other
            }
        }
    }

    private static func layer(_ name: String) -> Int? {
        let parts = name.split(separator: ".")
        return parts.count > 2 && parts[0] == "blk" ? Int(parts[1]) : nil
    }

    /// Whether a tensor takes part: matrices of weights, but for small ones that much depends on.
    package static func isQuantized(_ name: String, shape: [Int]) -> Bool {
        guard shape.drop(while: { $0 == 1 }).count > 1, name.hasSuffix("weight"), !name.contains("_norm.weight") else {
            return false
        }
        return name != "position_embd.weight" && name != "token_types.weight"
            && ![
                "ffn_gate_inp.weight", "attn_rel_b.weight", ".position_embd", ".patch_embd", "ssm_conv1d",
                "shortconv.conv.weight", "altup", "laurel", "per_layer_model_proj", "time_mix_",
            ].contains(where: name.contains)
    }

    /// The type for a tensor; nil if it stays as it is.
    ///
    /// - Parameter shape: outermost dimension first.
    package func type(for name: String, shape: [Int]) -> ElementType? {
        guard Self.isQuantized(name, shape: shape), let columns = shape.last else { return nil }
        guard type.elementType.isQuantized else { return type.elementType }
        return Self.fitting(mixed(name, columns: columns), columns: columns)
    }

    private func mixed(_ name: String, columns: Int) -> ElementType {
        let usual = type.elementType
        let role = Role(name)
        let layer = Self.layer(name) ?? 0
        if role == .head || role == .table && isTied {
            if sensitiveOutput || !columns.isMultiple(of: usual.blockElements) { return .q8_0 }
            return usual == .q8_0 ? .q8_0 : .q6K
        }
        switch role {
        case .value, .fused:
            let rank = valueRanks[name] ?? 0
            if experts == 8 { return .q8_0 }
            switch type {
            case .q4KMedium, .q5KMedium:
                if Self.isSensitive(rank, of: valueRanks.count) { return .q6K }
            case .q4KSmall: if rank < 4 { return .q5K }
            default: break
            }
            return layers == 80 && usual == .q4K ? .q5K : usual  // eight heads of queries share one of these
        case .down:
            switch type {
            case .q4KMedium where sensitiveOutput:
                return layer < layers / 16 ? .q6K : Self.isSensitive(layer, of: layers) ? .q5K : .q4K
            case .q4KMedium, .q5KMedium: return Self.isSensitive(layer, of: layers) ? .q6K : usual
            case .q4KSmall: return !sensitiveOutput && layer < layers / 8 ? .q5K : usual
            case .q4_0, .q5_0:
                // The first layers' inputs are so uneven that importances alone would leave them too little.
                return hasImportance && layer < layers / 8 ? (usual == .q4_0 ? .q4_1 : .q5_1) : usual
            default: return usual
            }
        case .attentionOutput:
            let isFour = type == .q4KSmall || type == .q4KMedium
            return experts == 8 && isFour && !sensitiveOutput ? .q5K : usual
        default:
            // Keys of eight experts' layers are small beside them.
            return experts == 8 && name.contains("attn_k.weight") ? .q8_0 : usual
        }
    }

    /// The first eighth of the layers, the last, and every third between them.
    private static func isSensitive(_ layer: Int, of layers: Int) -> Bool {
        layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2
    }

    /// Rows that are no whole blocks take a type of smaller blocks.
    private static func fitting(_ type: ElementType, columns: Int) -> ElementType {
        if columns.isMultiple(of: type.blockElements) { return type }
        let smaller: ElementType =
            switch type {
            case .q4K: .q5_0
            case .q5K: .q5_1
            case .q6K: .q8_0
            default: type
            }
        return columns.isMultiple(of: smaller.blockElements) ? smaller : .f16
    }
}
