import Testing
import TinyJSON
import TinyLoader
import TinyTensor
import TinyTestSupport

@Suite struct CheckpointTests {
    @Test(arguments: BadCheckpoint.all) func badCheckpoint(_ bad: BadCheckpoint) {
        let folder = TemporaryFolder()
        bad.fill(folder)
        func inside(_ name: String) -> String { name.isEmpty ? folder.path : folder.path + "/" + name }
        expectRefusal(
            of: inside(bad.opened), kinds: bad.kinds, subject: bad.subject, named: inside(bad.file), bad.label
        ) {
            _ = try Checkpoint(path: $0)
        }
    }

    /// The readers themselves, asked for what is no file.
    @Test func foldersAndDevicesAreNoFiles() {
        let folder = TemporaryFolder()
        for path in [folder.path, folder.path + "/nothing", "/dev/null", ""] {
            expectRefusal(of: path, kinds: [.unreadable], path) { _ = try GGUF(path: $0) }
            expectRefusal(of: path, kinds: [.unreadable], path) { _ = try Safetensors(path: $0) }
            expectRefusal(of: path, kinds: [.unreadable], path) { _ = try SafetensorsShards(list: $0) }
        }
    }

    /// A tensor that the list leaves out is there, for whoever binds tensors to report; one that it has elsewhere is taken
    /// from there. A list beside a single file is left over from before.
    @Test func whatAListLeavesOut() throws {
        let folder = TemporaryFolder()
        func file(_ names: [String]) -> [UInt8] {
            var file = SafetensorsBytes()
            for (i, name) in names.enumerated() { file.add(name, [1], floats: [Float(names.count + i)]) }
            return file.written()
        }
        folder.write("config.json", "{}")
        folder.write("one.safetensors", file(["a"]))
        folder.write("two.safetensors", file(["a", "b", "c"]))
        let list = #"{"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}"#
        folder.write("model.safetensors.index.json", list)
        let index = try Checkpoint(path: folder.path).index
        #expect(index.tensors.map(\.name) == ["a", "b", "c"])
        #expect(try index["a"]?.matrix().floats() == [1])
        folder.write("model.safetensors", file(["d"]))
        #expect(try Checkpoint(path: folder.path).index.tensors.map(\.name) == ["d"])
    }

    @Test func shardsAreOneModel() throws {
        let path = Fixtures.path("llama-bf16-sharded")
        let checkpoint = try Checkpoint(path: path)
        #expect(
            checkpoint.files.map(\.lastComponent).sorted() == [
                "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
            ])
        #expect(checkpoint.index.tensors.count == 21)
        // The list's own count of parameters.
        #expect(checkpoint.index.tensors.reduce(0) { $0 + $1.elementCount } == 37024)
        #expect(checkpoint.index.tensors.allSatisfy { $0.content == .elements(.bf16) })
        guard case .folder(let folder, let config) = checkpoint.format else { Issue.record("not a folder"); return }
        #expect(folder == path && config["architectures"]?.array?.count == 1)
        touchEverything(checkpoint.index)
        let again = try Checkpoint(path: path + "/")
        #expect(again.files == checkpoint.files)
    }

    @Test(arguments: [
        "llama-default/model.safetensors", "llama-f16/model.safetensors", "llama-default/model.gguf",
        "llama-mixed/model.mixed.gguf",
    ])
    func namedFile(_ name: String) throws {
        let checkpoint = try Checkpoint(path: Fixtures.path(name))
        #expect(checkpoint.files == [Fixtures.path(name)] && checkpoint.index.tensors.count > 10)
        touchEverything(checkpoint.index)
    }

    /// The same weights in two formats, and halves that are those of the floats.
    @Test func formatsAgree() throws {
        let safetensors = try Checkpoint(path: Fixtures.path("gpt2-default"))
        let gguf = try Checkpoint(path: Fixtures.path("gpt2-default/model.gguf"))
        let a = try #require(safetensors.index["transformer.wte.weight"] ?? safetensors.index["wte.weight"])
        let b = try #require(gguf.index["token_embd.weight"])
        #expect(a.shape == b.shape)
        let (left, right) = (try a.matrix().floats(), try b.matrix().floats())
        expectSameBits(left, right)
    }

    /// A model folder may hold a lone file of any name, and `model.safetensors` wins over others.
    @Test func filesAreFoundByWhatTheyHold() throws {
        let folder = TemporaryFolder()
        folder.write("config.json", "{\"k\":1}")
        folder.write("weights.safetensors", BadCheckpoint.shard("a"))
        #expect(try Checkpoint(path: folder.path).index["a"] != nil)
        folder.write("model.safetensors", BadCheckpoint.shard("b"))
        #expect(try Checkpoint(path: folder.path).index["b"] != nil)
        folder.write("strange name", GoodGGUF.file.written().bytes)
        let gguf = try Checkpoint(path: folder.path + "/strange name")
        guard case .gguf(let file) = gguf.format else { Issue.record("not taken for a GGUF"); return }
        #expect(file.version == 3)
    }
}
