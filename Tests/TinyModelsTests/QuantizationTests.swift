import Testing
import TinyLoader
import TinyModels
import TinyTensor
import TinyTestSupport

@Suite struct QuantizationTests {
    private let folder = TemporaryFolder()

    private func rules(
        _ type: QuantizationType, layers: Int = 32, head: Bool = true, experts: Int = 0, importance: Bool = false,
        sensitive: Bool = false
    ) -> QuantizationRules {
        let names =
            (0..<layers).flatMap { ["blk.\($0).attn_v.weight", "blk.\($0).ffn_down.weight"] }
            + ["token_embd.weight"] + (head ? ["output.weight"] : [])
        return QuantizationRules(
            type, names: names, layers: layers, experts: experts, hasImportance: importance, sensitiveOutput: sensitive)
    }

    /// What llama.cpp gives each tensor of a LLaMA of 32 layers (`llama-quant.cpp`).
    @Test func mixtures() {
        let more = [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]
        for (type, usual) in [(QuantizationType.q4KMedium, ElementType.q4K), (.q5KMedium, .q5K)] {
            let rules = rules(type)
            for name in ["attn_v", "ffn_down"] {
                let found = (0..<32).filter { rules.type(for: "blk.\($0).\(name).weight", shape: [512, 512]) == .q6K }
                #expect(found == more, "\(type) \(name)")
                #expect(rules.type(for: "blk.4.\(name).weight", shape: [512, 512]) == usual)
            }
            for name in ["attn_q", "attn_k", "attn_output", "ffn_up", "ffn_gate"] {
                #expect(rules.type(for: "blk.0.\(name).weight", shape: [512, 512]) == usual)
            }
            #expect(rules.type(for: "output.weight", shape: [512, 512]) == .q6K)
            #expect(rules.type(for: "token_embd.weight", shape: [512, 512]) == usual)
        }
        let small = rules(.q4KSmall)
        #expect(
            (0..<32).filter { small.type(for: "blk.\($0).attn_v.weight", shape: [512, 512]) == .q5K } == [0, 1, 2, 3])
        #expect(
            (0..<32).filter { small.type(for: "blk.\($0).ffn_down.weight", shape: [512, 512]) == .q5K } == [0, 1, 2, 3])
        #expect(rules(.q8_0).type(for: "output.weight", shape: [512, 512]) == .q8_0)
        #expect(rules(.q4_0).type(for: "output.weight", shape: [512, 512]) == .q6K)
        #expect(rules(.q4_0, head: false).type(for: "token_embd.weight", shape: [512, 512]) == .q6K)
        #expect(rules(.q4_0, importance: true).type(for: "blk.3.ffn_down.weight", shape: [512, 512]) == .q4_1)
        #expect(rules(.q4_0).type(for: "blk.3.ffn_down.weight", shape: [512, 512]) == .q4_0)
        #expect(rules(.q4KMedium, experts: 8).type(for: "blk.9.attn_v.weight", shape: [512, 512]) == .q8_0)
        #expect(rules(.q4KMedium, experts: 8).type(for: "blk.9.attn_output.weight", shape: [512, 512]) == .q5K)
        #expect(rules(.q4KMedium, sensitive: true).type(for: "output.weight", shape: [512, 512]) == .q8_0)
        #expect(rules(.q4KMedium, sensitive: true).type(for: "blk.0.ffn_down.weight", shape: [512, 512]) == .q6K)
        #expect(rules(.q4KMedium, sensitive: true).type(for: "blk.2.ffn_down.weight", shape: [512, 512]) == .q5K)
    }

    @Test func rowsThatAreNoWholeBlocks() {
        let name = "blk.4.ffn_up.weight"
        for (type, smaller) in [(QuantizationType.q4KMedium, ElementType.q5_0), (.q5KSmall, .q5_1), (.q6K, .q8_0)] {
            #expect(rules(type).type(for: name, shape: [512, 96]) == smaller)
            #expect(rules(type).type(for: name, shape: [512, 100]) == .f16)
        }
        #expect(rules(.q4_0).type(for: name, shape: [512, 100]) == .f16)
        #expect(rules(.q4KMedium).type(for: "output.weight", shape: [512, 96]) == .q8_0)
        #expect(rules(.f16).type(for: name, shape: [512, 100]) == .f16)
    }

    @Test(arguments: [
        "blk.0.attn_norm.weight", "blk.0.ffn_gate_inp.weight", "position_embd.weight", "token_types.weight",
        "blk.0.attn_q.bias",
    ]) func whatStays(_ name: String) {
        #expect(rules(.q4KMedium).type(for: name, shape: [512, 512]) == nil)
    }

    @Test func vectorsStay() {
        #expect(rules(.f16).type(for: "blk.0.x.weight", shape: [512]) == nil)
        #expect(rules(.f16).type(for: "blk.0.x.weight", shape: [1, 512]) == nil)
        #expect(rules(.f16).type(for: "blk.0.ffn_up_exps.weight", shape: [4, 8, 512]) == .f16)
    }

    @Test func names() {
        #expect(QuantizationType(name: "q4_k") == .q4KMedium && QuantizationType(name: "Q5_K_S") == .q5KSmall)
        #expect(QuantizationType(name: "Q3_K") == nil && QuantizationType(name: "") == nil)
    }

    @Test(arguments: QuantizationType.allCases) func aModelIsWritten(_ type: QuantizationType) throws {
        let source = Fixtures.path("llama-default/model.gguf")
        let output = folder.path + "/out.gguf"
        var reports: [WriteReport] = []
        let written = try Quantization(of: source, to: type, threads: 2).write(to: output) { reports.append($0) }
        let (a, b) = (try GGUF(path: source), try GGUF(path: output))
        #expect(written.bytes == readFile(output).count && written.tensors == a.index.tensors.count)
        #expect(reports.last.map { $0.bytes == $0.totalBytes } == true)
        #expect(try b.metadata.integer("general.quantization_version") == 2)
        for tensor in a.index.tensors {
            let other = try #require(b.index[tensor.name])
            #expect(other.shape == tensor.shape)
            let (x, y) = (try tensor.matrix().floats(), try other.matrix().floats())
            if tensor.shape.count == 1 {
                #expect(x == y)
            } else {
                let error = zip(x, y).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                let size = x.reduce(Float(0)) { $0 + $1 * $1 }
                // Four bits leave one part in fifteen of a group's range, at worst half of it on each weight.
                #expect(error <= 0.01 * size, "\(tensor.name) \(type)")
            }
        }
        // A model of it runs.
        _ = try Model(at: output)
    }

    @Test func aWeightThatIsNoNumberIsNamed() throws {
        var bytes = GGUFBytes()
        bytes.add("general.architecture", .string("none"))
        bytes.tensors = [
            .init("blk.0.ffn_up.weight", [32, 2], data: GoodFloats.bytes([Float](repeating: 1, count: 63) + [.nan]))
        ]
        let source = folder.write("bad.gguf", bytes.written().bytes)
        let error = #expect(throws: OutputError.self) {
            try Quantization(of: source, to: .q8_0).write(to: folder.path + "/out.gguf")
        }
        #expect(
            error.map { $0.description.contains("blk.0.ffn_up.weight") && $0.description.contains("row 1") } == true)
        #expect(FileSystem.names(in: folder.path) == ["bad.gguf"])
    }

    @Test func statisticsOfAnotherModelAreRefused() throws {
        var bytes = GGUFBytes()
        bytes.add("general.type", .string("imatrix"))
        bytes.tensors = [
            .init("blk.0.attn_q.weight.in_sum2", [3, 1], data: GoodFloats.bytes([1, 2, 3])),
            .init("blk.0.attn_q.weight.counts", [1, 1], data: GoodFloats.bytes([1])),
        ]
        let statistics = folder.write("i.gguf", bytes.written().bytes)
        #expect(throws: FormatError.self) {
            try Quantization(of: Fixtures.path("llama-default/model.gguf"), to: .q4_0, importance: statistics)
        }
        #expect(throws: FormatError.self) {
            try Quantization(
                of: Fixtures.path("llama-default/model.gguf"), to: .q4_0,
                importance: Fixtures.path("llama-default/model.gguf"))
        }
    }

    /// Each number is finite; what one is of the other is not.
    @Test func statisticsBeyondSinglePrecisionAreRefused() {
        var bytes = GGUFBytes()
        bytes.add("general.type", .string("imatrix"))
        bytes.tensors = [
            .init("blk.0.attn_q.weight.in_sum2", [3, 1], data: GoodFloats.bytes([1, 1e30, 3])),
            .init("blk.0.attn_q.weight.counts", [1, 1], data: GoodFloats.bytes([1e-10])),
        ]
        let statistics = folder.write("i.gguf", bytes.written().bytes)
        let error = #expect(throws: FormatError.self) { try Importance(path: statistics) }
        #expect(error?.description.contains("too large for its count") == true)
    }
}

private enum GoodFloats {
    static func bytes(_ values: [Float]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    }
}
