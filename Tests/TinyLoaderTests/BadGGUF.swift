import TinyLoader
import TinyTestSupport

/// GGUF files that lie about themselves, each in one way.
enum BadGGUF {
    static let all: [BadFile] = heads + metadata + tensors + types

    private static let written = GoodGGUF.file.written()

    private static func spoil<T: FixedWidthInteger>(
        _ label: String, _ field: String, _ value: T, _ kinds: Set<FormatError.Kind>, subject: String? = nil,
        byte: Int? = nil
    ) -> BadFile {
        BadFile(label, written.spoiling(field, with: value), kinds, subject: subject, byte: byte)
    }

    private static func change(
        _ label: String, _ kinds: Set<FormatError.Kind>, subject: String? = nil, byte: Int? = nil,
        _ change: (inout GGUFBytes) -> Void
    ) -> BadFile {
        BadFile(label, GoodGGUF.with(change), kinds, subject: subject, byte: byte)
    }

    private static let heads: [BadFile] =
        [
            BadFile("an empty file", [], [.unknownFormat], byte: 0),
            spoil("another magic", "magic", UInt32(0x4C4D_4747), [.unknownFormat], byte: 0),
            spoil("version 0", "version", UInt32(0), [.unsupportedVersion], byte: 4),
            spoil("version 1", "version", UInt32(1), [.unsupportedVersion], byte: 4),
            spoil("version 4", "version", UInt32(4), [.unsupportedVersion], byte: 4),
            spoil("version 2³²−1", "version", UInt32.max, [.unsupportedVersion], byte: 4),
            spoil("big-endian version 3", "version", UInt32(3).byteSwapped, [.unsupportedVersion], byte: 4),
            spoil("big-endian version 2", "version", UInt32(2).byteSwapped, [.unsupportedVersion], byte: 4),
        ] + lies(about: "tensors", truth: 4, byte: 8) + lies(about: "keys", truth: 15, byte: 16)

    /// Counts that no file of this size can hold are refused where they stand.
    private static func lies(about field: String, truth: UInt64, byte: Int) -> [BadFile] {
        [UInt64.max, 1 << 63, (1 << 63) - 1, 1 << 60, 1 << 32, 10_000].map {
            spoil("\($0) \(field)", field, $0, [.outOfRange], byte: byte)
        } + [
            // One more than there is: what follows is read as another one, and makes no sense or does not end.
            spoil(
                "one of the \(field) too many", field, truth + 1,
                [.truncated, .outOfRange, .malformed, .duplicate, .misaligned, .unsupportedType])
        ]
    }

    private static let metadata: [BadFile] =
        [UInt64.max, 1 << 63, (1 << 63) - 1, 1 << 40, 5000].flatMap { lie in
            [
                spoil(
                    "a key's length of \(lie)", "u8.length", lie, [.outOfRange], byte: written.offset(of: "u8.length")),
                spoil("a string's length of \(lie)", "text.value.length", lie, [.outOfRange], subject: "text"),
                spoil("an array's length of \(lie)", "numbers.value.count", lie, [.outOfRange], subject: "numbers"),
                spoil(
                    "an array of strings' length of \(lie)", "words.value.count", lie, [.outOfRange], subject: "words"),
                spoil(
                    "a length of \(lie) in an array of strings", "words.value.1.length", lie, [.outOfRange],
                    subject: "words"),
                spoil(
                    "an inner array's length of \(lie)", "nested.value.0.count", lie, [.outOfRange], subject: "nested"),
            ]
        } + [
            spoil("an unknown type of value", "i16.type", UInt32(13), [.malformed], subject: "i16"),
            spoil("type 2³²−1", "i16.type", UInt32.max, [.malformed], subject: "i16"),
            spoil("an unknown type of element", "numbers.value.type", UInt32(99), [.malformed], subject: "numbers"),
            spoil("a truth value of 2", "flag.value", UInt8(2), [.malformed], subject: "flag"),
            change("a key twice", [.duplicate], subject: "u8") { $0.add("u8", .uint8(1)) },
            change("an empty key twice", [.duplicate], subject: "") { file in
                file.add("", .uint8(1))
                file.add("", .uint8(1))
            },
            change("a key that is no UTF-8", [.malformed]) { $0.metadata[0].key = [0x61, 0xFF] },
            change("a key that is an overlong NUL", [.malformed]) { $0.metadata[0].key = [0xC0, 0x80] },
            change("a key that is half a surrogate pair", [.malformed]) { $0.metadata[0].key = [0xED, 0xA0, 0x80] },
            change("a string that is no UTF-8", [.malformed], subject: "bad") { $0.add("bad", .bytes([0x80])) },
            change("arrays nested in arrays too deep", [.malformed], subject: "deep") { file in
                var value = GGUFBytes.Value.integers([1])
                for _ in 0..<5 { value = .array(type: 9, count: 1, [value]) }
                file.add("deep", value)
            },
            change("arrays nested as deep as the file is long", [.malformed], subject: "deep") { file in
                var value = GGUFBytes.Value.integers([])
                for _ in 0..<500 { value = .array(type: 9, count: 1, [value]) }
                file.add("deep", value)
            },
        ]
        + ([
            ("0", .uint32(0)), ("1", .uint32(1)), ("4", .uint32(4)), ("48", .uint32(48)), ("2³²−1", .uint32(.max)),
            ("−32", .int32(-32)),
            ("2⁶³", .uint64(1 << 63)), ("text", .string("32")), ("0.5", .float32(32)),
        ] as [(String, GGUFBytes.Value)]).map { label, value in
            change("an alignment of \(label)", [.malformed], subject: "general.alignment") {
                $0.add("general.alignment", value)
            }
        }

    private static let tensors: [BadFile] = [
        change("a tensor's name twice", [.duplicate], subject: "matrix") { $0.tensors[0].name = Array("matrix".utf8) },
        change("a tensor's name that is no UTF-8", [.malformed]) { $0.tensors[1].name = [0xFE] },
        spoil(
            "a name longer than the file", "matrix.length", UInt64.max, [.outOfRange],
            byte: written.offset(of: "matrix.length")),
        spoil("a name as long as 2⁶³", "matrix.length", UInt64(1) << 63, [.outOfRange]),
        spoil("five dimensions", "matrix.dimensions", UInt32(5), [.outOfRange], subject: "matrix"),
        spoil("2³²−1 dimensions", "matrix.dimensions", UInt32.max, [.outOfRange], subject: "matrix"),
        spoil("a dimension of 2⁶³", "matrix.0", UInt64(1) << 63, [.outOfRange], subject: "matrix"),
        spoil("a dimension of 2⁶⁴−1", "matrix.1", UInt64.max, [.outOfRange], subject: "matrix"),
        spoil("a dimension of 2⁶³−1", "matrix.1", UInt64.max >> 1, [.outOfRange], subject: "matrix"),
        spoil("a dimension whose bytes overflow", "vector.0", UInt64(1) << 62, [.outOfRange], subject: "vector"),
        spoil(
            "a dimension whose bytes wrap to the truth", "vector.0", UInt64(1) << 62 + 6, [.outOfRange],
            subject: "vector"),
        change("a shape whose product is 2⁶⁴", [.outOfRange], subject: "matrix") {
            $0.tensors[1].dimensions = [1 << 32, 1 << 32]
        },
        change("a shape whose product overflows before a zero", [.outOfRange, .truncated], subject: "matrix") {
            $0.tensors[1].dimensions = [0, 1 << 40, 1 << 40]
        },
        change("doubles whose bytes overflow", [.outOfRange], subject: "positions") {
            $0.tensors[3].dimensions = [1 << 61]
        },
        change("more elements than bytes", [.truncated], subject: "positions") { $0.tensors[3].dimensions = [3] },
        change("a row that is no whole number of blocks", [.outOfRange], subject: "codes") {
            $0.tensors[2].dimensions = [16, 4]
        },
        change("a quantized scalar", [.outOfRange], subject: "codes") { $0.tensors[2].dimensions = [] },
        change("an offset of 1", [.misaligned], subject: "matrix") { $0.tensors[1].offset = 1 },
        change("an offset aligned to 16 of 32", [.misaligned], subject: "matrix") { $0.tensors[1].offset = 48 },
        change("an offset of 2⁶⁴−1", [.misaligned], subject: "matrix") { $0.tensors[1].offset = .max },
        change("an offset of 2⁶³", [.misaligned, .truncated], subject: "matrix") { $0.tensors[1].offset = 1 << 63 },
        change("an offset of 2⁶³−32, which overflows with the data's", [.truncated], subject: "matrix") {
            $0.tensors[1].offset = (1 << 63) - 32
        },
        change("an offset past the end", [.truncated], subject: "matrix") { $0.tensors[1].offset = 1 << 20 },
        change("an offset just before the end", [.truncated], subject: "codes") { $0.tensors[2].offset = 160 },
        change("two tensors at one place", [.overlap], subject: "matrix") { $0.tensors[1].offset = 0 },
        change("a tensor that begins inside another", [.overlap]) { $0.tensors[3].offset = 96 },
        BadFile("no data at all", written.cut(before: "data"), [.truncated]),
        BadFile("the last byte missing", written.bytes.dropLast(), [.truncated], subject: "positions"),
        change("data's alignment more than the file has", [.truncated, .misaligned]) {
            $0.add("general.alignment", .uint32(1 << 16))
        },
    ]

    /// Every element type that there is and we have no code for, refused by its name.
    private static let types: [BadFile] =
        (([4, 5, 9] + Array(15...19) + [21, 22, 29] + Array(31...38) + [40, 41, 255, 1 << 31, .max]) as [UInt32]).map {
            type in
            spoil("element type \(type)", "matrix.type", type, [.unsupportedType], subject: "matrix")
        }
}
