package import TinyLayers

extension NameMap {
    /// GGUF's names, which are the same for all families.
    ///
    /// - Parameter fusedQKV: rows of queries, keys and values where one tensor holds all three.
    package static func gguf(
        fusedQKV: [Int]? = nil, turned: @escaping @Sendable (LayerSlot) -> HeadTurn? = { _ in nil }
    ) -> NameMap {
        NameMap(harmlessSuffixes: ["rope_freqs.weight", "rotary_emb.inv_freq"]) { slot in
            switch slot {
            case .tokenTable: return .named("token_embd.weight")
            case .positionTable: return .named("position_embd.weight")
            case .finalNorm(let part): return .named("output_norm" + part.suffix)
            case .head: return .named("output.weight")
            case .layer(let layer, let role):
                guard let (name, part) = name(role) else { return nil }
                let prefix = "blk.\(layer)."
                if let fusedQKV, let index = ["attn_q", "attn_k", "attn_v"].firstIndex(of: name) {
                    return .part(index, of: fusedQKV, .named(prefix + "attn_qkv" + part.suffix))
                }
                let source = TensorSource.named(prefix + name + part.suffix)
                return turned(role).map { .neighboursToHalves($0, source) } ?? source
            }
        }
    }

    private static func name(_ role: LayerSlot) -> (String, Part)? {
        switch role {
        case .norm(.beforeAttention, let part): ("attn_norm", part)
        case .norm(.beforeFeedForward, let part): ("ffn_norm", part)
        case .norm: nil
        case .query(let part): ("attn_q", part)
        case .key(let part): ("attn_k", part)
        case .value(let part): ("attn_v", part)
        case .attentionOutput(let part): ("attn_output", part)
        case .gate(let part): ("ffn_gate", part)
        case .up(let part): ("ffn_up", part)
        case .down(let part): ("ffn_down", part)
        }
    }
}
