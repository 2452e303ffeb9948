import Testing
import TinyJSON
import TinyLoader
import TinyTensor
import TinyTestSupport

@Suite struct WriterTests {
    private let folder = TemporaryFolder()

    private func destination(_ name: String, replaces: Bool = false, inputs: [String] = []) throws -> Destination {
        try Destination(folder.path + "/" + name, replaces: replaces, inputs: inputs)
    }

    private func copy(_ gguf: GGUF, to name: String, metadata: [GGUFEntry]? = nil) throws -> GGUF {
        let tensors = gguf.index.tensors.map { TensorOutput(copying: $0) }
        let path = folder.path + "/" + name
        let writer = try GGUFWriter(
            metadata: metadata ?? gguf.metadata.entries, tensors: tensors, alignment: gguf.alignment, path: path)
        let file = try OutputFile(path: path, byteCount: writer.byteCount)
        try writer.writeHead(to: file)
        try writer.writeTensors(to: file, WriteProgress(total: 0, report: nil))
        try file.publish(replaces: false)
        return try GGUF(path: path)
    }

    private func files() -> [String] { FileSystem.names(in: folder.path) }

    @Test(arguments: [32, 64, 4096]) func ggufIsTheSameWhenWrittenAgain(_ alignment: Int) throws {
        var bytes = GoodGGUF.file
        bytes.alignment = alignment
        bytes.add("general.alignment", .uint32(UInt32(alignment)))
        let original = try GGUF(path: folder.write("a.gguf", bytes.written().bytes))
        let written = try copy(original, to: "b.gguf")
        // The last tensor's end is filled up too; all before it is the same, byte for byte.
        let (a, b) = (readFile(folder.path + "/a.gguf"), readFile(folder.path + "/b.gguf"))
        #expect(Array(b.prefix(a.count)) == a && b.count % alignment == 0)
        #expect(written.metadata.keys == original.metadata.keys)
        for (x, y) in zip(written.index.tensors, original.index.tensors) {
            #expect(x.name == y.name && x.shape == y.shape && x.content == y.content && x.bytes.elementsEqual(y.bytes))
        }
    }

    @Test func everyKindOfEntryIsReadBack() throws {
        let original = try GGUF(path: folder.write("a.gguf", GoodGGUF.file.written().bytes))
        let metadata: [GGUFEntry] = [
            .string("s", "日本"), .integer("i", 7), .integer("negative", -7), .integer("large", 1 << 40),
            .number("n", 0.25), .bool("b", true), .strings("ss", ["", "x"]), .integers("is", [1, -2]),
            .numbers("ns", [0.5]), .bools("bs", [true, false]), .bytes("bytes", [0, 255]),
        ]
        let read = try copy(original, to: "b.gguf", metadata: metadata.setting(.integer("i", 8))).metadata
        #expect(try read.string("s") == "日本" && read.integer("i") == 8 && read.integer("negative") == -7)
        #expect(try read.integer("large") == 1 << 40 && read["n"] == .number(0.25) && read.bool("b") == true)
        #expect(try read.texts("ss") == ["", "x"] && read.integers("is") == [1, -2] && read.numbers("ns") == [0.5])
        #expect(try read.bools("bs") == [true, false] && read.integers("bytes") == [0, 255])
        #expect(read.keys.count == metadata.count)
    }

    @Test(arguments: [Int.max, 100]) func safetensorsAreTheSameWhenWrittenAgain(_ shardBytes: Int) throws {
        let gguf = try GGUF(path: folder.write("a.gguf", GoodGGUF.file.written().bytes))
        let stored = gguf.index.tensors.filter { $0.name != "codes" }
        let place = try destination("model")
        let output = OutputFolder(place)
        let writer = try SafetensorsWriter(
            tensors: stored.map { TensorOutput(copying: $0) }, shardBytes: shardBytes == 100 ? 40 : shardBytes,
            path: place.path)
        try writer.write(to: output, WriteProgress(total: 0, report: nil))
        try output.add("config.json", Array("{\"model_type\":\"none\"}".utf8))
        #expect(files() == ["a.gguf"], "nothing is there before it is whole")
        try output.publish()
        #expect(files() == ["a.gguf", "model"])
        let read = try Checkpoint(path: place.path)
        #expect(read.files.count == (shardBytes == 100 ? 3 : 1))
        #expect(read.index.tensors.count == 3)
        for tensor in stored {
            let back = try #require(read.index[tensor.name])
            #expect(back.shape == tensor.shape && back.content == tensor.content)
            #expect(back.bytes.elementsEqual(tensor.bytes))
        }
        let size = FileSystem.names(in: place.path).filter { $0 != "config.json" }
            .reduce(0) { $0 + readFile(place.path + "/" + $1).count }
        #expect(size == writer.byteCount)
    }

    @Test func whatTheFormatsCannotSay() throws {
        let gguf = try GGUF(path: folder.write("a.gguf", GoodGGUF.file.written().bytes))
        let codes = TensorOutput(copying: try #require(gguf.index["codes"]))
        let error = #expect(throws: OutputError.self) { try SafetensorsWriter(tensors: [codes], path: "out") }
        #expect(error?.kind == .notPossible && error?.reason.contains("Q8_0") == true)
        let deep = TensorOutput(name: "deep", shape: [1, 1, 1, 1, 1], content: .elements(.f32), byteCount: 4) { _ in }
        let truth = TensorOutput(name: "truth", shape: [1], content: .other("BOOL"), byteCount: 1) { _ in }
        for tensor in [deep, truth] {
            #expect(throws: OutputError.self) {
                try GGUFWriter(metadata: [], tensors: [tensor], alignment: 32, path: "out")
            }
        }
    }

    // MARK: Names

    @Test func aFileThatIsNotPublishedLeavesNothing() throws {
        do {
            let file = try OutputFile(path: folder.path + "/out", byteCount: 10)
            try [1, 2, 3].withUnsafeBytes { try file.write($0, at: 0) }
            #expect(!files().contains("out"))
        }
        #expect(files().isEmpty)
    }

    @Test func whatIsThereIsNotReplacedUnasked() throws {
        folder.write("out", "old")
        #expect(throws: OutputError.self) { try destination("out") }
        // One that came about meanwhile is kept as well.
        let file = try OutputFile(path: folder.path + "/out", byteCount: 3)
        let error = #expect(throws: OutputError.self) { try file.publish(replaces: false) }
        #expect(error?.kind == .exists)
        #expect(readFile(folder.path + "/out") == Array("old".utf8))
        _ = try destination("out", replaces: true)
        try file.publish(replaces: true)
        #expect(readFile(folder.path + "/out") == [0, 0, 0])
        #expect(files() == ["out"])
    }

    @Test func aFolderIsReplacedAsAWhole() throws {
        let old = folder.makeFolder("model")
        folder.write("model/old.txt", "old")
        #expect(throws: OutputError.self) { try destination("model") }
        let output = OutputFolder(try destination("model", replaces: true))
        try output.add("new.txt", [1])
        #expect(FileSystem.names(in: old) == ["old.txt"])
        try output.publish()
        #expect(FileSystem.names(in: old) == ["new.txt"] && files() == ["model"])
    }

    @Test func anOutputThatIsTheInput() throws {
        let input = folder.write("in", "x")
        let error = #expect(throws: OutputError.self) {
            try destination(".//in", replaces: true, inputs: [input])
        }
        #expect(error?.kind == .isInput)
    }

    @Test(arguments: ["no/such/folder/out", "", "."]) func placesThatAreNone(_ name: String) {
        #expect(throws: OutputError.self) { try Destination(name.isEmpty ? "" : name, replaces: true, inputs: []) }
    }

    @Test func moreThanTheDiskHolds() throws {
        let error = #expect(throws: OutputError.self) { try destination("out").reserve(1 << 60) }
        #expect(error?.kind == .noSpace && error?.reason.contains("\(1 << 60)") == true)
        try destination("out").reserve(1)
    }

    /// A process that is gone left a file and a folder; one that is at work has its lock.
    @Test func leftoversAreCleared() throws {
        folder.write(".a.gguf.999999999-1.tinygpt-partial", "x")
        folder.makeFolder(".b.999999999-2.tinygpt-partial")
        folder.write(".b.999999999-2.tinygpt-partial/model.safetensors", "x")
        folder.write(".c.gguf.1-1.tinygpt-partial", "of a process that lives")
        folder.write(".other", "someone's own")
        _ = try destination("out")
        #expect(files() == [".c.gguf.1-1.tinygpt-partial", ".other"])
    }
}
