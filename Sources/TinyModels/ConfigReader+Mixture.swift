package import TinyLayers

// Mixtures of experts, in every spelling.
extension ConfigReader {
    /// A mixture by its sizes; what else a family has is up to the recipe.
    ///
    /// - Parameters:
    ///   - hidden: the width of an expert, where the configuration has no key of its own for it.
    ///   - chosen: where a layer has a number of its own.
    package func mixture(_ sizes: Sizes, hidden: Int? = nil, chosen: Int? = nil) throws -> MixtureSpec {
        let countKeys = ["num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts", "expert_count"]
        let chosenKeys = ["num_experts_per_tok", "moe_k", "moe_topk", "expert_used_count"]
        guard let count = try optionalSize(countKeys) else {
            throw error(isGGUF ? "expert_count" : "num_experts", "is missing; how many experts are there?")
        }
        // Every one is listed by name, so what no model has is refused before it takes memory.
        guard count <= 1024, count * sizes.depth <= 1 << 15 else {
            throw error(spelling(countKeys), "is \(count); at most 1024, and 32768 in all layers, are supported")
        }
        guard let chosen = try chosen ?? optionalSize(chosenKeys) else {
            throw error(isGGUF ? "expert_used_count" : "num_experts_per_tok", "is missing; how many are chosen?")
        }
        guard chosen <= count else { throw error(spelling(chosenKeys), "is \(chosen), more than the \(count) experts") }
        let ownHidden = hidden == nil ? try optionalSize(["moe_intermediate_size", "expert_feed_forward_length"]) : nil
        ignore(["output_router_logits", "router_aux_loss_coef", "router_jitter_noise"])  // of training
        return MixtureSpec(experts: count, chosen: chosen, expert: try gated(hidden ?? ownHidden ?? sizes.hidden))
    }

    /// What weights of chosen experts are divided by: their sum or nothing.
    package func normalization(
        default other: Bool, plus little: Float = 0
    ) throws -> MixtureSpec.Normalization {
        try bool("norm_topk_prob", "expert_weights_norm") ?? other ? .sum(plus: little) : .none
    }

    /// Groups of experts; one group is none.
    package func groups(_ mixture: MixtureSpec) throws -> MixtureSpec.Groups? {
        let (count, chosen) = (
            try optionalSize(["n_group", "expert_group_count"]) ?? 1,
            try optionalSize(["topk_group", "expert_group_used_count"]) ?? 1
        )
        if count == 1 { return nil }
        guard mixture.experts.isMultiple(of: count), chosen <= count,
            mixture.chosen <= mixture.experts / count * chosen
        else {
            throw error(
                spelling(["n_group", "expert_group_count"]),
                "is \(count), of which \(chosen) are chosen, for \(mixture.chosen) of \(mixture.experts) experts")
        }
        return MixtureSpec.Groups(count: count, chosen: chosen)
    }

    /// Which layers have experts: every so many, but for those that are named.
    package func sparseLayers(_ sizes: Sizes) throws -> [Bool] {
        let step = try optionalSize(["decoder_sparse_step"]) ?? 1
        let dense = Set(try integers("mlp_only_layers") ?? [])
        return (0..<sizes.depth).map { ($0 + 1).isMultiple(of: step) && !dense.contains($0) }
    }
}
