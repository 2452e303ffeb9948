/// A model made by hand, whose first head looks at the token before and whose second looks at the token itself.
///
/// Positions are unit vectors e₀, e₁, …, tokens small vectors beside them. The first head asks position t for e₍t−1₎, the
/// second for e₍t₎, and keys are positions as they are, so a score is about 16 where they meet and 0 elsewhere:
/// e⁻¹⁶ leaves the others nothing.
package enum LookingBackModel {
    package static let positions = 48
    private static let (width, vocabulary, layers) = (128, 288, 1)

    /// A folder with configuration, weights and the tokenizer of another fixture of this size.
    package static func write() -> TemporaryFolder {
        let folder = TemporaryFolder()
        folder.copy(Fixtures.path("gpt2-default/tokenizer.json"), as: "tokenizer.json")
        folder.write(
            "config.json",
            """
            {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": \(width), "n_head": 2,
             "n_layer": \(layers), "n_positions": \(positions), "vocab_size": \(vocabulary),
             "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05, "tie_word_embeddings": true}
            """)
        folder.write("model.safetensors", weights())
        return folder
    }

    private static func weights() -> [UInt8] {
        var file = SafetensorsBytes()
        func add(_ name: String, _ shape: [Int], _ fill: (inout [Float]) -> Void = { _ in }) {
            var values = [Float](repeating: 0, count: shape.reduce(1, *))
            fill(&values)
            file.add("transformer." + name, shape, floats: values)
        }
        var random = SplitMix64(seed: 8)
        add("wte.weight", [vocabulary, width]) { values in
            for token in 0..<vocabulary {
                for i in positions..<width { values[token * width + i] = 0.02 * random.unit() }
            }
        }
        add("wpe.weight", [positions, width]) { values in
            for position in 0..<positions { values[position * width + position] = 1 }
        }
        // Inputs are rows here, and columns are queries, keys and values, 64 for each head.
        add("h.0.attn.c_attn.weight", [width, 3 * width]) { values in
            for position in 0..<positions {
                let row = position * 3 * width
                if position > 0 { values[row + position - 1] = 1 }
                values[row + 64 + position] = 1
                values[row + width + position] = 1
                values[row + width + 64 + position] = 1
            }
        }
        add("h.0.attn.c_attn.bias", [3 * width])
        add("h.0.attn.c_proj.weight", [width, width])
        add("h.0.attn.c_proj.bias", [width])
        add("h.0.mlp.c_fc.weight", [width, 4 * width])
        add("h.0.mlp.c_fc.bias", [4 * width])
        add("h.0.mlp.c_proj.weight", [4 * width, width])
        add("h.0.mlp.c_proj.bias", [width])
        for norm in ["h.0.ln_1", "h.0.ln_2", "ln_f"] {
            add(norm + ".weight", [width]) { $0 = $0.map { _ in 1 } }
            add(norm + ".bias", [width])
        }
        return file.written()
    }
}
