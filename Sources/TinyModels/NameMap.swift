package import TinyLayers

/// A recipe's answer to where each slot's weights are.
package struct NameMap: Sendable {
    /// nil if the family has no such weights.
    package let source: @Sendable (Slot) -> TensorSource?
    /// Tensors that files carry and inference does not need, by the end of their names, or by their beginning where this
    /// ends with "*".
    package let harmless: [String]

    package init(harmless: [String] = [], source: @escaping @Sendable (Slot) -> TensorSource?) {
        self.source = source
        self.harmless = harmless
    }

    /// From tables of names.
    ///
    /// - Parameters:
    ///   - prefix: what stands in front of every name.
    ///   - layers: what stands between it and a layer's number.
    package init(
        prefix: String = "", layers: String, harmless: [String] = [], model: [ModelSlot: TensorSource],
        layer: [LayerSlot: TensorSource]
    ) {
        self.init(harmless: harmless) { slot in
            func front(_ layer: Int) -> String { prefix + layers + ".\(layer)." }
            switch slot {
            case .model(let slot, let part): return model[slot]?.resolved(prefix: prefix, part: part)
            case .layer(let number, let slot, let part):
                return layer[slot]?.resolved(prefix: front(number), part: part)
            case .expert(let number, let expert, let projection, let part):
                return layer[.expert(projection)]?.resolved(prefix: front(number), part: part, expert: expert)
            }
        }
    }

    /// Whether a tensor is known to be of no use.
    func isHarmless(_ name: String) -> Bool {
        harmless.contains { $0.hasSuffix("*") ? name.hasPrefix($0.dropLast()) : name.hasSuffix($0) }
    }
}

extension [LayerSlot: TensorSource] {
    /// The same names with some of them replaced or added.
    package func with(_ others: [LayerSlot: TensorSource]) -> Self { merging(others) { $1 } }
}

extension [ModelSlot: TensorSource] {
    /// The same names with some of them replaced or added.
    package func with(_ others: [ModelSlot: TensorSource]) -> Self { merging(others) { $1 } }
}
