package import TinyLayers

extension NameMap {
    /// GGUF's names, which are the same for all families.
    ///
    /// - Parameters:
    ///   - experts: how many the tensors of experts hold.
    ///   - layer: what a family has otherwise.
    package static func gguf(
        _ spec: ModelSpec, harmless: [String] = [], model: [ModelSlot: TensorSource] = [:],
        _ layer: [LayerSlot: TensorSource] = [:]
    ) -> NameMap {
        let experts = spec.experts
        func stacked(_ name: TensorSource) -> TensorSource { .expert(0, of: experts, name) }
        return NameMap(
            layers: "blk",
            harmless: [
                "rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight", "rotary_emb.inv_freq",
            ] + harmless,
            model: [
                .tokenTable: "token_embd", .positionTable: "position_embd", .typeTable: "token_types",
                .stemNorm: "token_embd_norm", .finalNorm: "output_norm", .head: "output",
            ].with(model),
            layer: [
                .norm(.beforeAttention): "attn_norm", .norm(.afterAttention): "post_attention_norm",
                .norm(.onAttentionSum): "attn_output_norm", .norm(.beforeFeedForward): "ffn_norm",
                .norm(.afterFeedForward): "post_ffw_norm", .norm(.onFeedForwardSum): "layer_output_norm",
                .query: "attn_q", .key: "attn_k", .value: "attn_v", .attentionOutput: "attn_output",
                .queryNorm: "attn_q_norm", .keyNorm: "attn_k_norm", .sinks: "attn_sinks", .headGate: "attn_gate",
                .network(.gate): "ffn_gate", .network(.up): "ffn_up", .network(.down): "ffn_down",
                .router: "ffn_gate_inp", .choiceBias: .bare("exp_probs_b.bias"),
                .expert(.gate): stacked("ffn_gate_exps"), .expert(.up): stacked("ffn_up_exps"),
                .expert(.down): stacked("ffn_down_exps"), .shared(.gate): "ffn_gate_shexp",
                .shared(.up): "ffn_up_shexp", .shared(.down): "ffn_down_shexp", .sharedGate: "ffn_gate_inp_shexp",
            ].with(layer))
    }
}

extension ModelSpec {
    /// E: experts of a layer, 0 where there are none.
    package var experts: Int {
        layers.lazy.compactMap { if case .mixture(let mixture) = $0.feedForward { mixture.experts } else { nil } }.first
            ?? 0
    }
}

extension [LayerSlot: TensorSource] {
    /// GGUF files of some families have the rows of queries and keys in the order in which neighbours turn together.
    package static func turned(_ spec: ModelSpec) -> Self {
        guard let attention = spec.layers.first?.attention, let rotary = attention.rotary else { return [:] }
        let turn = HeadTurn(headWidth: attention.headWidth, turning: rotary.width)
        return [.query: .neighboursToHalves(turn, "attn_q"), .key: .neighboursToHalves(turn, "attn_k")]
    }
}
