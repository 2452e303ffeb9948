import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyRunner
import TinyTensor
import TinyTestSupport

/// Every fixture there is in both formats, to the other format and back.
@Suite struct ConversionTests {
    private let folder = TemporaryFolder()

    private func logits(_ path: String, _ tokens: [Int]) throws -> [Float] {
        let model = try Model(at: path, precision: .exact, threads: 1)
        var decoder = Decoder(model: model, capacity: tokens.count, allLogits: true)
        var values: [Float] = []
        try decoder.readAll(tokens) { _, rows in values += rows.values }
        return values
    }

    private func expectEqualTensors(_ a: TensorIndex, _ b: TensorIndex) throws {
        for tensor in b.tensors {
            let other = try #require(a[tensor.name], "\(tensor.name) is new")
            #expect(tensor.shape == other.shape && tensor.content == other.content, "\(tensor.name)")
            #expect(tensor.bytes.elementsEqual(other.bytes), "\(tensor.name)")
        }
    }

    @Test(arguments: FixtureModel.pairs) func folderToFileAndBack(_ name: String) throws {
        let source = Fixtures.path(name)
        let file = folder.path + "/model.gguf", back = folder.path + "/back"
        try Conversion(of: source, toGGUF: true, threads: 1).write(to: file)
        let tokens = try #require(
            try Safetensors(path: source + "/reference.safetensors").index["token_ids"]?.integers())
        let hasHead = try Recipe(checkpoint: Checkpoint(path: source)).spec.head != nil
        if hasHead {
            try expectSame(file, source + "/model.gguf", tokens, isClose: name == "llama-llama3", name)
        }
        try Conversion(of: file, toGGUF: false, threads: 1).write(to: back)
        let (a, b) = (try Checkpoint(path: source), try Checkpoint(path: back))
        try expectEqualTensors(a.index, b.index)
        // What is not there again was of no use: all that is used is.
        let recipe = try Recipe(checkpoint: b)
        let problems = try recipe.binder().check(recipe.spec)
        #expect(problems.isEmpty, "\(problems)")
        if hasHead { expectSameBits(try logits(back, tokens), try logits(source, tokens), name) }
        #expect(readFile(back + "/config.json") == readFile(source + "/config.json"))
    }

    /// Files that another program made, which keep nothing of a folder.
    @Test(arguments: FixtureModel.pairs) func foreignFileToFolder(_ name: String) throws {
        let source = Fixtures.path(name) + "/model.gguf"
        let output = folder.path + "/out"
        try Conversion(of: source, toGGUF: false, threads: 1).write(to: output)
        let tokens = try #require(
            try Safetensors(path: Fixtures.path(name) + "/reference.safetensors").index["token_ids"]?.integers())
        let spec = try Recipe(checkpoint: Checkpoint(path: source)).spec
        guard spec.head != nil else { return }
        let isClose = name == "llama-llama3"
        if !isClose { #expect(try Recipe(checkpoint: Checkpoint(path: output)).spec == spec) }
        try expectSame(output, source, tokens, isClose: isClose, name)
    }

    /// - Parameter isClose: what rotations are divided by was computed, and rounded, elsewhere.
    private func expectSame(_ a: String, _ b: String, _ tokens: [Int], isClose: Bool, _ name: String) throws {
        let (a, b) = (try logits(a, tokens), try logits(b, tokens))
        if isClose {
            let largest = Double(b.map(abs).max() ?? 0)
            expectClose(a, b.map(Double.init), within: { _ in 1e-4 * largest }, name)
        } else {
            expectSameBits(a, b, name)
        }
    }
}
