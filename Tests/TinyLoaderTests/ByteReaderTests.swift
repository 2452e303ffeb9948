import Testing
import TinyLoader

@Suite struct ByteReaderTests {
    private func read<R>(_ bytes: [UInt8], _ body: (inout ByteReader) throws -> R) rethrows -> R {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer, file: "f")
            return try body(&reader)
        }
    }

    @Test func integersAreLittleEndianAtAnyAddress() throws {
        let values = try read([9, 1, 2, 3, 4, 0xFF]) { reader in
            (
                try reader.integer(UInt8.self, "x"), try reader.integer(UInt32.self, "x"),
                try reader.integer(Int8.self, "x")
            )
        }
        #expect(values == (9, 0x0403_0201, -1))
    }

    @Test func nothingIsReadPastTheEnd() {
        let error = #expect(throws: FormatError.self) {
            try read([1, 2, 3]) { try $0.integer(UInt32.self, "a number") }
        }
        #expect(error?.kind == .truncated && error?.byte == 0 && error?.reason.contains("a number") == true)
        #expect(throws: FormatError.self) { try read([]) { try $0.integer(UInt8.self, "x") } }
        #expect(throws: FormatError.self) { try read([1]) { try $0.skip(-1, "x") } }
        #expect(throws: FormatError.self) { try read([1]) { try $0.skip(.max, "x") } }
    }

    @Test(arguments: [2, 3, 1 << 62, 1 << 63, .max] as [UInt64]) func countsThatCannotBe(_ count: UInt64) {
        let bytes = withUnsafeBytes(of: count.littleEndian) { Array($0) } + [0, 0, 0]
        let error = #expect(throws: FormatError.self) { try read(bytes) { try $0.count("things", minimumBytes: 2) } }
        #expect(error?.kind == .outOfRange && error?.byte == 0)
    }

    @Test func controlCharactersAreNotPrinted() {
        #expect(printable("a\u{1B}[2Jb\u{9B}\n") == "\"a\\u{1b}[2Jb\\u{9b}\\u{a}\"")
        #expect(printable(String(repeating: "x", count: 500)).count == 123)
    }
}
