import TinyLoader
import TinyTestSupport

/// Safetensors files that lie about themselves, each in one way.
enum BadSafetensors {
    static let all: [BadFile] = headers + entries + shapes + places

    static var good: SafetensorsBytes {
        var file = SafetensorsBytes()
        file.addMetadata([("format", "pt")])
        file.add("a", [2, 3], floats: [1, 2, 3, 4, 5, 6])
        file.add("b", "BF16", [2], [0x80, 0x3F, 0x00, 0xC0])
        file.add("c", "F16", [2], [0x00, 0x3C, 0x00, 0xC0])
        file.add("d", "I64", [1], [9, 0, 0, 0, 0, 0, 0, 0])
        return file
    }

    private static func header(
        _ label: String, _ text: String, _ kinds: Set<FormatError.Kind>, subject: String? = nil, byte: Int? = nil
    )
        -> BadFile
    {
        BadFile(label, SafetensorsBytes.file(header: text), kinds, subject: subject, byte: byte)
    }

    private static func length(_ length: UInt64, _ kinds: Set<FormatError.Kind>) -> BadFile {
        var file = good
        file.headerLength = length
        return BadFile("a header of \(length) bytes", file.written(), kinds)
    }

    private static let headers: [BadFile] = [
        BadFile("an empty file", [], [.truncated], byte: 0),
        BadFile("seven bytes", [UInt8](repeating: 1, count: 7), [.truncated], byte: 0),
        header("a header of no bytes", "", [.malformed], byte: 8),
        length(.max, [.outOfRange]), length(1 << 63, [.outOfRange]), length((1 << 63) - 1, [.outOfRange]),
        length(1 << 62, [.outOfRange]), length(100_000_001, [.outOfRange]), length(10_000, [.outOfRange]),
        length(3, [.malformed]), length(1, [.malformed]),
        header("not JSON", "safe", [.malformed], byte: 8),
        header("a header that is an array", "[]", [.malformed], byte: 8),
        header("a header that is a number", "7", [.malformed], byte: 8),
        header("a header that is null", "null", [.malformed], byte: 8),
        header("a header that ends early", "{\"a\":", [.malformed], byte: 13),
        header("a header and more", "{} {}", [.malformed], byte: 11),
        header("a trailing comma", "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},}", [.malformed]),
        header("a NUL after the header", "{}\u{0}", [.malformed], byte: 10),
        BadFile(
            "a header that is no UTF-8",
            SafetensorsBytes.file(header: Array("{\"".utf8) + [0xFF] + Array("\":{}}".utf8)), [.malformed]),
        header("a header of brackets", String(repeating: "[", count: 5000), [.malformed]),
        header("a header of objects", String(repeating: "{\"a\":", count: 5000), [.malformed]),
        header("metadata that is no object", "{\"__metadata__\":[]}", [.malformed], subject: "__metadata__"),
        header("metadata that is no text", "{\"__metadata__\":{\"n\":1}}", [.malformed], subject: "n"),
        header("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", [.duplicate]),
        header("a metadata key twice", "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", [.duplicate]),
        // The word in the key must not make it a duplicate.
        header("no colon after a key named twice", "{\"twice\" 1}", [.malformed]),
        header("a key that clears the terminal, twice", "{\"\\u001b[2J\":1,\"\\u001b[2J\":1}", [.duplicate]),
        header("a key that clears the terminal, alone", "{\"\\u001b[2J\" 1}", [.malformed]),
        header("a very long key, twice", "{\"\(long)\":1,\"\(long)\":1}", [.duplicate]),
        header("a very long number", "{\"a\":1\(String(repeating: "0", count: 5000))}", [.malformed]),
        header("more values than tensors can have", "{\"a\":[\(String(repeating: "0,", count: 2000))0]}", [.malformed]),
    ]

    private static let long = String(repeating: "k", count: 3000)

    private static func entry(_ label: String, _ json: String, _ kinds: Set<FormatError.Kind>) -> BadFile {
        BadFile(label, SafetensorsBytes.file(header: "{\"t\":\(json)}", data: [0, 0, 0, 0]), kinds, subject: "t")
    }

    private static let entries: [BadFile] = [
        entry("an entry that is a string", "\"F32\"", [.malformed]),
        entry("an entry that is null", "null", [.malformed]),
        entry("no dtype", "{\"shape\":[1],\"data_offsets\":[0,4]}", [.malformed]),
        entry("no shape", "{\"dtype\":\"F32\",\"data_offsets\":[0,4]}", [.malformed]),
        entry("no data_offsets", "{\"dtype\":\"F32\",\"shape\":[1]}", [.malformed]),
        entry("nothing in the entry", "{}", [.malformed]),
        entry("an unknown key", "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}", [.malformed]),
        BadFile(
            "dtype twice",
            SafetensorsBytes.file(
                header: "{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                data: [0, 0, 0, 0]),
            [.duplicate]),
        entry("a dtype that is a number", "{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}", [.malformed]),
        entry("an unknown dtype", SafetensorsBytes.entry("F33", [1], 0, 4), [.unsupportedType]),
        entry("a dtype in small letters", SafetensorsBytes.entry("f32", [1], 0, 4), [.unsupportedType]),
        entry("a dtype of GGUF", SafetensorsBytes.entry("Q8_0", [1], 0, 4), [.unsupportedType]),
        entry("an empty dtype", SafetensorsBytes.entry("", [1], 0, 4), [.unsupportedType]),
        entry("half a byte", SafetensorsBytes.entry("F4", [7], 0, 4), [.outOfRange]),
    ]

    private static func shape(_ label: String, _ shape: String, _ kinds: Set<FormatError.Kind>) -> BadFile {
        entry("a shape \(label)", "{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[0,4]}", kinds)
    }

    private static let shapes: [BadFile] = [
        shape("that is a number", "1", [.malformed]),
        shape("that is null", "null", [.malformed]),
        shape("of text", "[\"1\"]", [.malformed]),
        shape("of fractions", "[1.0]", [.malformed]),
        shape("of arrays", "[[1]]", [.malformed]),
        shape("with a negative dimension", "[-1]", [.outOfRange]),
        shape("with two negative dimensions", "[-1,-1]", [.outOfRange]),
        shape("with −2⁶³", "[-9223372036854775808]", [.outOfRange]),
        shape("with −2⁶³ twice", "[-9223372036854775808,-9223372036854775808]", [.outOfRange]),
        shape("with a zero and a negative dimension", "[0,-1]", [.outOfRange]),
        shape("with 2⁶³", "[9223372036854775808]", [.malformed]),
        shape("with 2⁶³−1", "[9223372036854775807]", [.outOfRange]),
        shape("whose product is 2⁶⁴", "[4294967296,4294967296]", [.outOfRange]),
        shape("whose product is 2⁶⁴ + 1", "[274177,67280421310721]", [.outOfRange]),
        shape("whose bytes overflow to the truth", "[4611686018427387905]", [.outOfRange]),
        shape("that overflows before a zero", "[4294967296,4294967296,0]", [.outOfRange]),
        shape("of nine dimensions", "[1,1,1,1,1,1,1,1,1]", [.outOfRange]),
        // Spaces, or the limit on values would come first.
        shape("of ten thousand dimensions", "[\(String(repeating: "1,     ", count: 9999))1]", [.outOfRange]),
        shape("one too large", "[2]", [.outOfRange]),
        shape("of no elements with four bytes", "[0]", [.outOfRange]),
    ]

    private static func place(_ label: String, _ offsets: String, _ kinds: Set<FormatError.Kind>) -> BadFile {
        entry("data_offsets \(label)", "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":\(offsets)}", kinds)
    }

    /// Two tensors of a float each, at these bytes of `size` bytes of data.
    private static func pair(
        _ label: String, _ a: (Int, Int), _ b: (Int, Int), size: Int, _ kinds: Set<FormatError.Kind>
    ) -> BadFile {
        let header =
            "{\"a\":\(SafetensorsBytes.entry("F32", [1], a.0, a.1)),\"b\":\(SafetensorsBytes.entry("F32", [1], b.0, b.1))}"
        return BadFile(label, SafetensorsBytes.file(header: header, data: [UInt8](repeating: 0, count: size)), kinds)
    }

    private static let places: [BadFile] = [
        place("of one number", "[0]", [.malformed]),
        place("of three numbers", "[0,4,4]", [.malformed]),
        place("of no number", "[]", [.malformed]),
        place("that are a number", "4", [.malformed]),
        place("of text", "[\"0\",\"4\"]", [.malformed]),
        place("of fractions", "[0.0,4.0]", [.malformed]),
        place("that are reversed", "[4,0]", [.outOfRange]),
        place("that are negative", "[-4,0]", [.outOfRange]),
        place("from −2⁶³ to 2⁶³−1", "[-9223372036854775808,9223372036854775807]", [.outOfRange]),
        place("past the end", "[4,8]", [.outOfRange]),
        place("up to 2⁶³−1", "[0,9223372036854775807]", [.outOfRange]),
        place("for too few bytes", "[0,3]", [.outOfRange]),
        place("one byte too far", "[1,5]", [.outOfRange]),
        pair("two tensors at one place", (0, 4), (0, 4), size: 4, [.overlap]),
        pair("a tensor that begins inside another", (0, 4), (2, 6), size: 6, [.overlap]),
        pair("two tensors at one place, and as many bytes as both need", (0, 4), (0, 4), size: 8, [.overlap]),
        pair("a hole between tensors", (0, 4), (5, 9), size: 9, [.overlap]),
        pair("a hole before the tensors", (4, 8), (8, 12), size: 12, [.overlap]),
        pair("bytes after the tensors", (0, 4), (4, 8), size: 9, [.overlap]),
        BadFile(
            "a tensor's name twice",
            SafetensorsBytes.file(
                header:
                    "{\"a\":\(SafetensorsBytes.entry("F32", [1], 0, 4)),\"a\":\(SafetensorsBytes.entry("F32", [1], 4, 8))}",
                data: [UInt8](repeating: 0, count: 8)), [.duplicate]),
        BadFile("the last byte missing", Array(good.written().dropLast()), [.outOfRange, .overlap], subject: "d"),
        BadFile("bytes and no tensors", SafetensorsBytes.file(header: "{}", data: [0]), [.overlap], byte: 10),
    ]
}
