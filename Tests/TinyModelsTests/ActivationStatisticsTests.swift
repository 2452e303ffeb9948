import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyRunner
import TinyTensor
import TinyTestSupport

@Suite struct ActivationStatisticsTests {
    private let folder = TemporaryFolder()

    /// Every matrix of every layer is seen, once for each token; what reads the same input has the same sums.
    @Test(arguments: [nil, 8]) func everyMatrixOfALayer(_ window: Int?) throws {
        let source = Fixtures.path("llama-default")
        let path = folder.path + "/statistics.gguf"
        let statistics = try ActivationStatistics(
            of: source, text: String(repeating: "Once upon a time. ", count: 8), window: window, threads: 1)
        try statistics.write(to: path)
        let file = try GGUF(path: path)
        let layers = try Recipe(checkpoint: Checkpoint(path: source)).spec.layers.count
        #expect(file.index.tensors.count == 2 * 7 * layers)
        func values(_ name: String) throws -> [Float] { try #require(file.index[name]).matrix().floats() }
        for layer in 0..<layers {
            let front = "blk.\(layer)."
            let query = try values(front + "attn_q.weight.in_sum2")
            #expect(try query == values(front + "attn_k.weight.in_sum2") && query.allSatisfy { $0 > 0 && $0.isFinite })
            #expect(try values(front + "ffn_up.weight.in_sum2") == values(front + "ffn_gate.weight.in_sum2"))
            #expect(try values(front + "ffn_up.weight.in_sum2") != query)
            #expect(try values(front + "ffn_down.weight.counts")[0] >= Float(statistics.tokens))
        }
        let quantization = try Quantization(of: source, to: .q4_0, importance: path, threads: 1)
        #expect(!quantization.warnings.contains { $0.contains("know nothing") }, "\(quantization.warnings)")
        #expect(throws: OutputError.self) { try statistics.write(to: path) }
    }
}
