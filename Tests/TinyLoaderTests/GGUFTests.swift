import Testing
import TinyJSON
import TinyLoader
import TinyTensor
import TinyTestSupport

@Suite struct GGUFTests {
    let folder = TemporaryFolder()

    private func open(_ file: GGUFBytes) throws -> GGUF {
        try GGUF(path: folder.write("good.gguf", file.written().bytes))
    }

    @Test(arguments: [2, 3] as [UInt32]) func version(_ version: UInt32) throws {
        var file = GoodGGUF.file
        file.version = version
        let gguf = try open(file)
        #expect(gguf.version == Int(version))
        #expect(gguf.index.tensors.map(\.name) == ["vector", "matrix", "codes", "positions"])
        touchEverything(gguf)
    }

    @Test func everyTypeOfMetadata() throws {
        let metadata = try open(GoodGGUF.file).metadata
        #expect(metadata.keys.count == 15 && metadata.keys.first == "u8")
        let expected: [(String, Int)] = [
            ("u8", 200), ("i8", -100), ("u16", 60_000), ("i16", -30_000), ("u32", 4_000_000_000),
            ("i32", -2_000_000_000),
            ("u64", 1 << 62), ("i64", -(1 << 62)),
        ]
        for (key, value) in expected { #expect(try metadata.integer(key) == value) }
        #expect(metadata["f32"] == .number(Double(Float(0.1))) && metadata["f64"] == .number(0.1))
        #expect(try metadata.bool("flag") == true)
        #expect(try metadata.string("text") == "héllo")
        #expect(try metadata.texts("words") == ["a", "", "日本"])
        #expect(try metadata.integers("numbers") == [1, -2, 3])
        guard case .array(let nested) = metadata["nested"] else { Issue.record("nested is no array"); return }
        #expect(nested.count == 2 && nested.elementType == .array)
        #expect(try metadata.string("not there") == nil && metadata.integers("not there") == nil)
    }

    @Test func wrongTypesOfMetadataAreNamed() throws {
        let metadata = try open(GoodGGUF.file).metadata
        let asks: [(String, (String) throws -> Void)] = [
            ("u8", { _ = try metadata.string($0) }), ("text", { _ = try metadata.integer($0) }),
            ("f32", { _ = try metadata.integer($0) }),
            ("u8", { _ = try metadata.bool($0) }), ("numbers", { _ = try metadata.texts($0) }),
            ("text", { _ = try metadata.texts($0) }),
            ("words", { _ = try metadata.integers($0) }), ("nested", { _ = try metadata.integers($0) }),
            ("u8", { _ = try metadata.integers($0) }),
        ]
        for (key, ask) in asks {
            let error = #expect(throws: FormatError.self) { try ask(key) }
            #expect(error?.kind == .malformed && error?.name == key)
        }
    }

    /// Strings of an array are read when someone asks; a bad one is refused then.
    @Test func aBadStringInAnArray() throws {
        var file = GoodGGUF.file
        file.add("list", .array(type: 8, count: 2, [.string("good"), .bytes([0xFF])]))
        let metadata = try open(file).metadata
        let error = #expect(throws: FormatError.self) { try metadata.texts("list") }
        #expect(error?.kind == .malformed && error?.name == "list" && error?.byte != nil)
    }

    @Test func largeUnsignedNumbersStayNumbers() throws {
        var file = GGUFBytes()
        file.add("large", .uint64(.max))
        #expect(try open(file).metadata["large"] == .number(0x1p64))
    }

    @Test(arguments: [8, 16, 32, 64, 4096] as [UInt32]) func alignment(_ alignment: UInt32) throws {
        var file = GoodGGUF.file
        file.alignment = Int(alignment)
        file.add("general.alignment", .uint32(alignment))
        let gguf = try open(file)
        #expect(gguf.index.tensors.allSatisfy { $0.byteOffset.isMultiple(of: Int(alignment)) })
        #expect(try gguf.index["matrix"]?.matrix().floats() == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func tensors() throws {
        let index = try open(GoodGGUF.file).index
        let matrix = try #require(index["matrix"])
        #expect(matrix.shape == [2, 4], "the outermost dimension is first")
        #expect(try matrix.matrix().floats() == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(try index["vector"]?.matrix().floats() == [1, 2, 3, 4, 5, 6])
        #expect(try index["codes"]?.matrix().floats() == [Float](repeating: 3, count: 64))
        #expect(try index["positions"]?.integers() == [7, -1])
        #expect(index["positions"]?.content == .other("I64"))
        #expect(index["nothing"] == nil)
    }

    @Test func integersAreNoWeights() throws {
        let index = try open(GoodGGUF.file).index
        let positions = try #require(index["positions"])
        let error = #expect(throws: FormatError.self) { try positions.matrix() }
        #expect(error?.kind == .unsupportedType && error?.name == "positions")
        let vector = try #require(index["vector"])
        #expect(throws: FormatError.self) { try vector.integers() }
    }

    /// No keys, no tensors: nothing to object to.
    @Test func anEmptyModel() throws {
        let gguf = try open(GGUFBytes())
        #expect(gguf.metadata.keys.isEmpty && gguf.index.tensors.isEmpty)
    }

    /// Two spellings of é are two names in a file, though Swift calls the strings equal.
    @Test func namesAreComparedByTheirBytes() throws {
        var file = GGUFBytes()
        file.add("caf\u{E9}", .uint8(1))
        file.add("cafe\u{301}", .uint8(2))
        file.tensors = [
            .init("\u{E9}", [1], data: GoodGGUF.floats([1])), .init("e\u{301}", [1], data: GoodGGUF.floats([2])),
        ]
        let gguf = try open(file)
        #expect(gguf.metadata["caf\u{E9}"] == .integer(1) && gguf.metadata["cafe\u{301}"] == .integer(2))
        #expect(try gguf.index["\u{E9}"]?.matrix().floats() == [1])
        #expect(try gguf.index["e\u{301}"]?.matrix().floats() == [2])
    }
}
