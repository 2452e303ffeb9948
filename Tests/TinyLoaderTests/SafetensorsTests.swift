import Testing
import TinyLoader
import TinyTensor
import TinyTestSupport

@Suite struct SafetensorsTests {
    let folder = TemporaryFolder()

    private func open(_ file: SafetensorsBytes) throws -> Safetensors {
        try Safetensors(path: folder.write("good.safetensors", file.written()))
    }

    @Test func floatTypes() throws {
        let file = try open(BadSafetensors.good)
        #expect(file.metadata.map(\.key) == ["format"] && file.metadata.first?.value == "pt")
        #expect(file.index.tensors.map(\.name) == ["a", "b", "c", "d"])
        #expect(try file.index["a"]?.matrix().floats() == [1, 2, 3, 4, 5, 6])
        #expect(try file.index["b"]?.matrix().floats() == [1, -2])
        #expect(try file.index["c"]?.matrix().floats() == [1, -2])
        #expect(try file.index["d"]?.integers() == [9])
        #expect(try file.index["a"]?.matrix().rows == 2 && file.index["b"]?.matrix().rows == 1)
        touchEverything(file.index)
    }

    /// The format does not align tensors: after a header of odd length every float stands at an odd address.
    @Test(arguments: 0..<4) func unaligned(_ spaces: Int) throws {
        var file = SafetensorsBytes()
        file.add("x", [2, 2], floats: [1, -2, 0.5, 0x1p-130])
        let header = file.header + String(repeating: " ", count: spaces)
        let path = folder.write("odd.safetensors", SafetensorsBytes.file(header: header, data: file.data))
        #expect(try Safetensors(path: path).index["x"]?.matrix().floats() == [1, -2, 0.5, 0x1p-130])
    }

    /// A scalar has no dimensions and one element; tensors may be empty, even side by side.
    @Test func scalarsAndEmptyTensors() throws {
        var file = SafetensorsBytes()
        file.add("scalar", [], floats: [5])
        file.add("empty", [0, 7], floats: [])
        file.add("empty too", [3, 0], floats: [])
        let index = try open(file).index
        #expect(index["scalar"]?.elementCount == 1 && index["empty"]?.elementCount == 0)
        #expect(try index["empty"]?.matrix().floats() == [] && index["empty too"]?.matrix().floats() == [])
        let scalar = try #require(index["scalar"])
        #expect(throws: FormatError.self) { try scalar.matrix() }
        touchEverything(index)
    }

    /// Types that are no weights are listed, so that `inspect` can show them, and refused as weights by name.
    @Test(arguments: zip(["BOOL", "U8", "I8", "F8_E4M3", "I16", "U32", "F64", "C64"], [1, 1, 1, 1, 2, 4, 8, 8]))
    func otherTypes(_ type: String, _ size: Int) throws {
        var file = SafetensorsBytes()
        file.add("t", type, [3], [UInt8](repeating: 0, count: 3 * size))
        let tensor = try #require(try open(file).index["t"])
        #expect(tensor.content == .other(type) && tensor.byteCount == 3 * size)
        let error = #expect(throws: FormatError.self) { try tensor.matrix() }
        #expect(error?.kind == .unsupportedType && error?.name == "t" && error?.reason.contains(type) == true)
    }

    /// Experts are stacked: all dimensions but the last are rows, or all but the first are columns.
    @Test func moreDimensionsThanTwo() throws {
        var file = SafetensorsBytes()
        file.add("cube", [2, 3, 4], floats: (0..<24).map(Float.init))
        file.add("scalar", [], floats: [1])
        let index = try open(file).index
        let cube = try #require(index["cube"])
        let (matrix, joined) = (try cube.matrix(), try cube.joinedMatrix())
        #expect(matrix.rows == 6 && matrix.columns == 4 && joined.rows == 2 && joined.columns == 12)
        #expect(matrix.floats() == joined.floats())
        let scalar = try #require(index["scalar"])
        let error = #expect(throws: FormatError.self) { try scalar.matrix() }
        #expect(error?.kind == .malformed && error?.name == "scalar")
    }

    /// Tensors may be listed in another order than they lie in.
    @Test func listedInAnyOrder() throws {
        let header =
            "{\"b\":\(SafetensorsBytes.entry("F32", [1], 4, 8)),\"a\":\(SafetensorsBytes.entry("F32", [1], 0, 4))}"
        let path = folder.write(
            "order.safetensors", SafetensorsBytes.file(header: header, data: GoodGGUF.floats([1, 2])))
        let index = try Safetensors(path: path).index
        #expect(try index["a"]?.matrix().floats() == [1] && index["b"]?.matrix().floats() == [2])
    }

    @Test func namesAreComparedByTheirBytes() throws {
        var file = SafetensorsBytes()
        file.add("\u{E9}", [1], floats: [1])
        file.add("e\u{301}", [1], floats: [2])
        let index = try open(file).index
        #expect(try index["\u{E9}"]?.matrix().floats() == [1] && index["e\u{301}"]?.matrix().floats() == [2])
    }
}
