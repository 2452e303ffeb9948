import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyTensor
import TinyTestSupport

/// A checkpoint of `tinyConfig` as safetensors, with some tensors changed.
struct TinyCheckpoint {
    var tensors: [(name: String, type: String, shape: [Int])]
    let config: String

    init(family: String = "llama", changes: [String: String?] = [:]) {
        config = tinyConfig(changes, family: family)
        let shapes: [(String, [Int])] =
            family == "gpt2"
            ? [
                ("wte.weight", [20, 16]), ("wpe.weight", [32, 16]), ("ln_f.weight", [16]), ("ln_f.bias", [16]),
                ("h.0.ln_1.weight", [16]), ("h.0.ln_1.bias", [16]), ("h.0.ln_2.weight", [16]),
                ("h.0.ln_2.bias", [16]), ("h.0.attn.c_attn.weight", [16, 48]), ("h.0.attn.c_attn.bias", [48]),
                ("h.0.attn.c_proj.weight", [16, 16]), ("h.0.attn.c_proj.bias", [16]),
                ("h.0.mlp.c_fc.weight", [16, 64]), ("h.0.mlp.c_fc.bias", [64]), ("h.0.mlp.c_proj.weight", [64, 16]),
                ("h.0.mlp.c_proj.bias", [16]),
            ]
            : [
                ("model.embed_tokens.weight", [20, 16]), ("model.norm.weight", [16]), ("lm_head.weight", [20, 16]),
                ("model.layers.0.input_layernorm.weight", [16]),
                ("model.layers.0.post_attention_layernorm.weight", [16]),
                ("model.layers.0.self_attn.q_proj.weight", [16, 16]),
                ("model.layers.0.self_attn.k_proj.weight", [8, 16]),
                ("model.layers.0.self_attn.v_proj.weight", [8, 16]),
                ("model.layers.0.self_attn.o_proj.weight", [16, 16]),
                ("model.layers.0.mlp.gate_proj.weight", [24, 16]), ("model.layers.0.mlp.up_proj.weight", [24, 16]),
                ("model.layers.0.mlp.down_proj.weight", [16, 24]),
            ]
        tensors = shapes.map { ($0.0, "F32", $0.1) }
    }

    func write() -> TemporaryFolder {
        let folder = TemporaryFolder()
        folder.write("config.json", config)
        var file = SafetensorsBytes()
        for (name, type, shape) in tensors {
            let size = ["F32": 4, "I64": 8][type] ?? 2
            file.add(name, type, shape, [UInt8](repeating: 0, count: shape.reduce(size, *)))
        }
        folder.write("model.safetensors", file.written())
        return folder
    }

    mutating func change(_ name: String, type: String = "F32", shape: [Int]) {
        for i in tensors.indices where tensors[i].name == name { tensors[i] = (name, type, shape) }
    }

    mutating func remove(_ name: String) { tensors.removeAll { $0.name == name } }
}

@Suite("Binding")
struct BinderTests {
    @Test(arguments: ["llama", "gpt2"]) func complete(_ family: String) throws {
        let folder = TinyCheckpoint(family: family).write()
        #expect(try Model(at: folder.path).warnings == [])
    }

    /// All that is wrong is named at once.
    @Test func everyProblem() throws {
        var checkpoint = TinyCheckpoint()
        checkpoint.remove("model.norm.weight")
        checkpoint.remove("model.layers.0.mlp.up_proj.weight")
        checkpoint.change("model.layers.0.self_attn.k_proj.weight", shape: [16, 16])
        checkpoint.change("model.layers.0.self_attn.q_proj.weight", type: "I64", shape: [16, 16])
        checkpoint.change("model.layers.0.input_layernorm.weight", shape: [1, 16])
        let folder = checkpoint.write()
        let error = try #require(throws: ModelError.self) { _ = try Model(at: folder.path) }
        #expect(error.file == folder.path)
        #expect(error.problems.count == 5)
        let wanted = [
            ["model.norm.weight", "[16]", "missing"], ["model.layers.0.mlp.up_proj.weight", "[24, 16]", "missing"],
            ["model.layers.0.self_attn.k_proj.weight", "[16, 16]", "[8, 16]"],
            ["model.layers.0.self_attn.q_proj.weight", "I64"],
            ["model.layers.0.input_layernorm.weight", "[1, 16]", "[16]"],
        ]
        for words in wanted {
            #expect(error.problems.contains { problem in words.allSatisfy(problem.contains) }, "\(words)")
        }
        #expect("\(error)".contains("5 problems"))
    }

    @Test func fusedAndTransposed() throws {
        var checkpoint = TinyCheckpoint(family: "gpt2")
        checkpoint.change("h.0.attn.c_attn.weight", shape: [48, 16])
        checkpoint.change("h.0.attn.c_attn.bias", shape: [47])
        let folder = checkpoint.write()
        let error = try #require(throws: ModelError.self) { _ = try Model(at: folder.path) }
        #expect(error.problems.allSatisfy { $0.contains("c_attn") })
        // Three slots see the same tensor; one line is enough for each.
        #expect(Set(error.problems).count == error.problems.count)
        #expect(error.problems.contains { $0.contains("[48, 16]") && $0.contains("[16, 48]") })
    }

    /// A spec with two layers and a file with one names each of the second's tensors.
    @Test func missingLayer() throws {
        let folder = TinyCheckpoint(changes: ["num_hidden_layers": "2"]).write()
        let error = try #require(throws: ModelError.self) { _ = try Model(at: folder.path) }
        #expect(error.problems.count == 9)
        #expect(error.problems.allSatisfy { $0.contains("model.layers.1.") })
    }

    @Test func unboundTensors() throws {
        var checkpoint = TinyCheckpoint()
        checkpoint.tensors.append(("model.layers.0.self_attn.q_norm.weight", "F32", [8]))
        checkpoint.tensors.append(("model.layers.1.mlp.up_proj.weight", "F32", [24, 16]))
        checkpoint.tensors.append(("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", [4]))
        let folder = checkpoint.write()
        let warnings = try Model(at: folder.path).warnings
        #expect(warnings.count == 2)
        #expect(warnings.contains { $0.contains("q_norm") })
        #expect(warnings.contains { $0.contains("layers.1") })
    }

    /// Biases in the file that the configuration denies are not dropped in silence.
    @Test func deniedBias() throws {
        var checkpoint = TinyCheckpoint(changes: ["attention_bias": "false"])
        checkpoint.tensors.append(("model.layers.0.self_attn.q_proj.bias", "F32", [16]))
        let folder = checkpoint.write()
        #expect(try Model(at: folder.path).warnings.contains { $0.contains("q_proj.bias") })
    }

    @Test func quantizedAndTransposed() throws {
        var data = GGUFBytes()
        data.add("general.architecture", .string("llama"))
        data.tensors.append(GGUFBytes.Tensor("t", [32, 4], type: 8, data: [UInt8](repeating: 0, count: 34 * 4)))
        let folder = TemporaryFolder()
        let gguf = try GGUF(file: MappedFile(path: folder.write("t.gguf", data.written().bytes)))
        let spec = ModelSpec(
            vocabulary: 32, width: 4, context: 8, stem: .tokens(TokenStemSpec()), layers: [], finalNorm: nil,
            head: HeadSpec(weight: .tied))
        let binder = Binder(
            index: gguf.index, names: NameMap { _ in .transposed(.whole("t")) }, file: "t.gguf")
        let error = #expect(throws: ModelError.self) { _ = try binder.transformer(spec) }
        let message = "\(error.map { "\($0)" } ?? "")"
        #expect(message.contains("\"t\"") && message.contains("Q8_0") && message.contains("transposed"))
    }

    @Test func noPlaceForASlot() throws {
        let spec = ModelSpec(
            vocabulary: 4, width: 4, context: 8, stem: .tokens(TokenStemSpec()), layers: [], finalNorm: nil,
            head: HeadSpec(weight: .tied))
        let binder = Binder(index: TensorIndex(), names: NameMap { _ in nil }, file: "f")
        #expect(throws: ModelError.self) { _ = try binder.transformer(spec) }
    }

    /// What stands in front of a name and behind it.
    @Test func names() throws {
        let names = NameMap(
            prefix: "p.", layers: "h",
            model: [
                .head: .absolute("head"), .stemNorm: .parts(weight: .bare("n.gamma"), bias: .bare("n.beta")),
                .finalNorm: .ones,
            ],
            layer: [.query: "q", .sinks: .bare("s"), .key: .absolute("k")])
        func name(_ slot: Slot) -> String? { names.source(slot)?.name }
        #expect(name(.model(.head, .bias)) == "head.bias")
        #expect(name(.model(.stemNorm, .weight)) == "p.n.gamma" && name(.model(.stemNorm, .bias)) == "p.n.beta")
        #expect(name(.layer(2, .query, .weight)) == "p.h.2.q.weight" && name(.layer(2, .sinks, .weight)) == "p.h.2.s")
        #expect(name(.layer(2, .key, .weight)) == "k.weight")
        let binder = Binder(index: TensorIndex(), names: names, file: "f")
        #expect(try binder.vector(.model(.finalNorm, .weight), count: 3) == [1, 1, 1])
        #expect(names.source(.model(.finalNorm, .weight))?.names == [])
    }

    /// Parts, transposition and reordering put rows where they belong.
    @Test func quirks() throws {
        var file = SafetensorsBytes()
        file.add("t", [2, 8], floats: (0..<16).map(Float.init))  // inputs by outputs
        file.add("rows", [8, 2], floats: (0..<16).map(Float.init))
        file.add("bias", [8], floats: (0..<8).map(Float.init))
        let folder = TemporaryFolder()
        let index = try Safetensors(path: folder.write("m.safetensors", file.written())).index
        func binder(_ source: TensorSource) -> Binder {
            Binder(index: index, names: NameMap { _ in source }, file: "m")
        }
        let part = binder(.part(1, of: [2, 4, 2], .transposed(.whole("t"))))
        #expect(try part.matrix(.model(.head, .weight), rows: 4, columns: 2).floats() == [2, 10, 3, 11, 4, 12, 5, 13])
        let turned = binder(.neighboursToHalves(HeadTurn(headWidth: 4, turning: 4), .whole("rows")))
        #expect(
            try turned.matrix(.model(.head, .weight), rows: 8, columns: 2).floats()
                == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15])
        // Only the first two elements of each head of four turn.
        let partly = binder(.neighboursToHalves(HeadTurn(headWidth: 4, turning: 2), .whole("bias")))
        #expect(try partly.vector(.model(.head, .weight), count: 8) == [0, 1, 2, 3, 4, 5, 6, 7])
        let wide = binder(.neighboursToHalves(HeadTurn(headWidth: 8, turning: 4), .whole("bias")))
        #expect(try wide.vector(.model(.head, .weight), count: 8) == [0, 2, 1, 3, 4, 5, 6, 7])
        let bias = binder(.neighboursToHalves(HeadTurn(headWidth: 4, turning: 4), .whole("bias")))
        #expect(try bias.vector(.model(.head, .weight), count: 8) == [0, 2, 1, 3, 4, 6, 5, 7])
        let biasPart = binder(.part(2, of: [2, 4, 2], .transposed(.whole("bias"))))
        #expect(try biasPart.vector(.model(.head, .weight), count: 2) == [6, 7])
    }
}

@Suite("Inspection")
struct InspectionTests {
    @Test(arguments: FixtureModel.all) func complete(_ fixture: FixtureModel) throws {
        let checkpoint = try Checkpoint(path: fixture.path)
        let inspection = Inspection(checkpoint: checkpoint)
        let model = try Model(at: fixture.path)
        #expect(inspection.path == fixture.path)
        #expect(
            inspection.format
                == (fixture.isGGUF
                    ? "GGUF version 3"
                    : fixture.folder == "llama-bf16-sharded" ? "safetensors, 2 files" : "safetensors"))
        #expect(inspection.family == model.family)
        #expect(inspection.spec == model.spec)
        #expect(inspection.warnings == [])
        #expect(inspection.tensors.map(\.name) == checkpoint.index.tensors.map(\.name))
        #expect(inspection.tensors.allSatisfy { $0.bytes > 0 })
        #expect(inspection.bytes == inspection.bytesByType.reduce(0) { $0 + $1.bytes })
        #expect(inspection.parameters == model.parameterCount)
        let perToken = model.spec.layers.reduce(0) { $0 + 4 * $1.attention.keyValueHeads * $1.attention.headWidth }
        #expect(inspection.memory?.cachePerToken == perToken)
        // Some types grow when they are packed.
        #expect((inspection.memory?.weights ?? 0) >= inspection.bytes)
    }

    @Test func typesOfAMixedFile() throws {
        let inspection = Inspection(checkpoint: try Checkpoint(path: Fixtures.path("llama-mixed/model.mixed.gguf")))
        #expect(inspection.bytesByType.count >= 10)
        let sizes = inspection.bytesByType.map(\.bytes)
        #expect(sizes == sizes.sorted(by: >))
    }

    /// A file with nothing but a vocabulary, and one of a family that is not supported, are still described.
    @Test func vocabularyOnly() throws {
        var file = GGUFBytes()
        file.add("general.architecture", .string("llama"))
        file.add("tokenizer.ggml.model", .string("gpt2"))
        file.add("tokenizer.ggml.tokens", .strings(["a", "b"]))
        let folder = TemporaryFolder()
        let path = folder.write("vocabulary.gguf", file.written().bytes)
        let inspection = Inspection(checkpoint: try Checkpoint(path: path))
        #expect(inspection.spec == nil && inspection.memory == nil)
        #expect(inspection.tensors.isEmpty && inspection.parameters == 0 && inspection.bytes == 0)
        #expect(inspection.warnings.count == 1)
        #expect(inspection.warnings[0].contains(path))
    }

    @Test func configuredVocabularyOnly() throws {
        var file = GGUFBytes()
        for (key, value) in [
            ("embedding_length", 16), ("block_count", 2), ("attention.head_count", 2), ("feed_forward_length", 24),
            ("context_length", 64), ("vocab_size", 20),
        ] { file.add("llama." + key, .uint32(UInt32(value))) }
        file.add("llama.attention.layer_norm_rms_epsilon", .float32(1e-5))
        file.add("general.architecture", .string("llama"))
        let folder = TemporaryFolder()
        let inspection = Inspection(
            checkpoint: try Checkpoint(path: folder.write("v.gguf", file.written().bytes)))
        #expect(inspection.spec?.layers.count == 2)
        #expect(inspection.warnings.contains { $0.contains("token_embd.weight") && $0.contains("missing") })
    }

    @Test func unsupportedFamily() throws {
        let folder = TemporaryFolder()
        folder.write("config.json", #"{"model_type": "mamba"}"#)
        var file = SafetensorsBytes()
        file.add("x", [2], floats: [1, 2])
        folder.write("model.safetensors", file.written())
        let inspection = Inspection(checkpoint: try Checkpoint(path: folder.path))
        #expect(inspection.family == nil)
        #expect(inspection.tensors.map(\.name) == ["x"])
        #expect(inspection.parameters == 2 && inspection.bytes == 8)
        #expect(inspection.warnings.contains { $0.contains("mamba") })
    }
}
