import TinyGPT

/// A spec in words, layers that are alike named once.
enum SpecText {
    static func lines(_ spec: ModelSpec) -> [String] {
        var lines = [
            "vocabulary \(spec.vocabulary), width \(spec.width), made for \(spec.context) tokens",
            "stem: \(stem(spec.stem))",
        ]
        var first = 0
        while first < spec.layers.count {
            var end = first + 1
            while end < spec.layers.count && spec.layers[end] == spec.layers[first] { end += 1 }
            lines.append(end == first + 1 ? "layer \(first)" : "layers \(first) to \(end - 1), all alike")
            lines += layer(spec.layers[first]).map { "  \($0)" }
            first = end
        }
        if let norm = spec.finalNorm { lines.append("final norm: \(text(norm))") }
        lines.append("head: \(spec.head.weight == .tied ? "the token table again" : "a table of its own")")
        return lines
    }

    private static func stem(_ stem: StemSpec) -> String {
        switch stem.positions {
        case .none: "token table"
        case .learned(let rows): "token table, and \(rows) learned positions"
        }
    }

    private static func layer(_ layer: LayerSpec) -> [String] {
        let (attention, feedForward) = (layer.attention, layer.feedForward)
        var lines = [
            wiring(layer.wiring),
            "attention: \(attention.heads) heads of \(attention.headWidth), \(attention.keyValueHeads) for keys and values, "
                + "scale \(attention.scale)\(bias(attention))",
        ]
        switch attention.reach {
        case .causal: break
        case .causalWindow(let tokens): lines.append("reach: the last \(tokens) tokens")
        }
        if let rotary = attention.rotary {
            lines.append(
                "rotation: \(rotary.width) elements of a head, paired as \(rotary.pairing.rawValue), base \(rotary.base), scaling \(rotary.scaling)"
            )
        }
        lines.append(
            "feed-forward: \(feedForward.form.rawValue), \(feedForward.hidden) wide, \(feedForward.activation.rawValue)\(feedForward.bias ? ", with biases" : "")"
        )
        return lines
    }

    private static func bias(_ attention: AttentionSpec) -> String {
        switch (attention.inputBias, attention.outputBias) {
        case (true, true): ", with biases"
        case (true, false): ", with biases on queries, keys and values"
        case (false, true): ", with a bias on the output"
        case (false, false): ""
        }
    }

    private static func wiring(_ wiring: WiringSpec) -> String {
        switch wiring {
        case .sequential(let attention, let feedForward):
            "attention, then feed-forward; norms: \(placement(attention)); \(placement(feedForward))"
        case .parallel(let first, let second):
            "attention and feed-forward side by side; norms: \(text(first)); \(second.map(text) ?? "shared")"
        }
    }

    private static func placement(_ placement: NormPlacement) -> String {
        let parts = [("before", placement.before), ("after", placement.after), ("on the sum", placement.onSum)]
        let named = parts.compactMap { name, norm in norm.map { "\(text($0)) \(name)" } }
        return named.isEmpty ? "none" : named.joined(separator: ", ")
    }

    private static func text(_ norm: NormSpec) -> String {
        switch norm {
        case .layer(let epsilon, let bias): "LayerNorm (ε \(epsilon)\(bias ? "" : ", no bias"))"
        case .rms(let epsilon): "RMS (ε \(epsilon))"
        }
    }
}
