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
        if let head = spec.head { lines.append("head: \(text(head))") }
        if let pooler = spec.pooler {
            lines.append("pooler: \(pooler.width) elements from \(pooler.row), \(pooler.activation.rawValue)")
        }
        return lines
    }

    private static func stem(_ stem: StemSpec) -> String {
        switch stem {
        case .patches(let patches):
            return "\(patches.side) by \(patches.side) patches of \(patches.patch) pixels, \(patches.channels) channels"
        case .tokens(let tokens):
            var parts = ["token table"]
            if let width = tokens.tableWidth { parts.append("\(width) wide and projected") }
            if tokens.scale != 1 { parts.append("times \(tokens.scale)") }
            if case .learned(let rows) = tokens.positions { parts.append("\(rows) learned positions") }
            if tokens.types > 0 { parts.append("\(tokens.types) kinds of tokens") }
            if tokens.prefix > 0 { parts.append("\(tokens.prefix) learned vectors in front") }
            if let norm = tokens.norm { parts.append(text(norm)) }
            return parts.joined(separator: ", ")
        }
    }

    private static func text(_ head: HeadSpec) -> String {
        var parts = [head.weight == .tied ? "the token table again" : "a table of its own"]
        if let transform = head.transform {
            parts.append("behind a dense layer, \(transform.activation.rawValue) and \(text(transform.norm))")
        }
        if let width = head.tableWidth { parts.append("\(width) wide") }
        if head.unitRows { parts.append("rows of unit length") }
        if head.bias { parts.append("with a bias") }
        if head.scale != 1 { parts.append("times \(head.scale)") }
        if let cap = head.cap { parts.append("capped at \(cap)") }
        return parts.joined(separator: ", ")
    }

    private static func layer(_ layer: LayerSpec) -> [String] {
        let attention = layer.attention
        var lines = [
            wiring(layer.wiring),
            "attention: \(attention.heads) heads of \(attention.headWidth), \(attention.keyValueHeads) for keys and values, "
                + "scale \(attention.scale)\(bias(attention))",
        ]
        switch attention.reach {
        case .causal: break
        case .causalWindow(let tokens): lines.append("reach: the last \(tokens) tokens")
        case .everything: lines.append("reach: both directions")
        }
        lines += extras(attention)
        if let rotary = attention.rotary {
            lines.append(
                "rotation: \(rotary.width) elements of a head, paired as \(rotary.pairing.rawValue), base \(rotary.base), scaling \(rotary.scaling)"
            )
        }
        switch layer.feedForward {
        case .dense(let network): lines.append("feed-forward: \(text(network))")
        case .mixture(let mixture):
            lines.append("\(mixture.chosen) of \(mixture.experts) experts: \(text(mixture.expert))")
            lines.append("router: \(routing(mixture))")
            if let shared = mixture.shared {
                lines.append("for every token: \(text(shared.network))\(shared.isGated ? ", gated" : "")")
            }
        }
        if layer.branchScale != 1 { lines.append("each branch times \(layer.branchScale)") }
        if layer.sumScale != 1 { lines.append("each sum times \(layer.sumScale)") }
        return lines
    }

    private static func text(_ network: NetworkSpec) -> String {
        "\(network.form), \(network.hidden) wide, \(network.activation.rawValue)\(network.bias ? ", with biases" : "")"
    }

    private static func routing(_ mixture: MixtureSpec) -> String {
        var parts = ["\(mixture.scores.rawValue)"]
        if let groups = mixture.groups { parts.append("\(groups.chosen) of \(groups.count) groups") }
        if mixture.choiceBias { parts.append("a bias for the choice") }
        if mixture.routerBias { parts.append("a bias on the logits") }
        if mixture.normalization != .none { parts.append("divided by \(mixture.normalization)") }
        if mixture.scale != 1 { parts.append("times \(mixture.scale)") }
        return parts.joined(separator: ", ")
    }

    private static func extras(_ attention: AttentionSpec) -> [String] {
        var lines: [String] = []
        switch attention.projection {
        case .direct: break
        case .queriesOfPositions(let rows): lines.append("queries: of \(rows) learned positions")
        case .latent(let latent):
            lines.append(
                "latent: \(latent.queryRank.map { "queries by \($0), " } ?? "")keys and values by \(latent.keyValueRank), values of \(latent.valueWidth)"
            )
        }
        switch attention.bias {
        case .none: break
        case .linear: lines.append("positions: a slope for each head")
        case .roundedLinear: lines.append("positions: a slope for each head, rounded to bf16")
        case .buckets(let buckets): lines.append("positions: \(buckets.buckets) buckets of distances")
        }
        if let norm = attention.headNorm {
            lines.append(
                "queries and keys: \(text(norm.norm)) over \(norm.span == .head ? "each head" : "all heads")\(norm.afterRotation ? ", after the rotation" : "")"
            )
        }
        if let limit = attention.growsBeyond { lines.append("queries grow beyond \(limit) tokens") }
        if let cap = attention.scoreCap { lines.append("scores capped at \(cap)") }
        if attention.sinks { lines.append("a sink for each head") }
        if attention.headGate { lines.append("a gate for each head") }
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
        let parts = [
            ("on the stream", placement.onStream), ("before", placement.before), ("after", placement.after),
            ("on the sum", placement.onSum),
        ]
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
