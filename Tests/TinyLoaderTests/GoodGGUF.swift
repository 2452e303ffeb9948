import TinyTestSupport

/// A small GGUF file with every kind of metadata and three tensors; the bad files are this one, spoiled.
enum GoodGGUF {
    static var file: GGUFBytes {
        var file = GGUFBytes()
        file.add("u8", .uint8(200))
        file.add("i8", .int8(-100))
        file.add("u16", .uint16(60_000))
        file.add("i16", .int16(-30_000))
        file.add("u32", .uint32(4_000_000_000))
        file.add("i32", .int32(-2_000_000_000))
        file.add("f32", .float32(0.1))
        file.add("flag", .bool(1))
        file.add("text", .string("héllo"))
        file.add("u64", .uint64(1 << 62))
        file.add("i64", .int64(-(1 << 62)))
        file.add("f64", .float64(0.1))
        file.add("words", .strings(["a", "", "日本"]))
        file.add("numbers", .integers([1, -2, 3]))
        file.add("nested", .array(type: 9, count: 2, [.integers([1, 2]), .strings(["x"])]))
        file.tensors = [
            .init("vector", [6], data: floats([1, 2, 3, 4, 5, 6])),
            .init("matrix", [4, 2], data: floats([1, 2, 3, 4, 5, 6, 7, 8])),
            // Two blocks of Q8_0: a scale of 1, codes all 3.
            .init(
                "codes", [32, 2], type: 8,
                data: [[UInt8]](repeating: [0x00, 0x3C] + [UInt8](repeating: 3, count: 32), count: 2).flatMap { $0 }),
            .init("positions", [2], type: 27, data: [7, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]),
        ]
        return file
    }

    static func floats(_ values: [Float]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    }

    /// The file with one change.
    static func with(_ change: (inout GGUFBytes) -> Void) -> [UInt8] {
        var copy = file
        change(&copy)
        return copy.written().bytes
    }

    static func offset(of field: String) -> Int { file.written().offset(of: field) }
}
