/// Reads the numbers of a generated table: five bits a character, the low ones first, the sixth bit says more follow.
///
/// The characters are those of base 64, so that a table is one string literal without escapes.
struct NumberText {
    private let text: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ text: StaticString) {
        // A static string is ASCII in the binary: it lives as long as the process.
        self.text = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    var isAtEnd: Bool { position == text.count }

    mutating func next() -> Int {
        var value = 0
        var shift = 0
        while true {
            let digit = Self.digit(text[position])
            position += 1
            value |= (digit & 31) << shift
            if digit < 32 { return value }
            shift += 5
        }
    }

    private static func digit(_ byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte) - 97 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 48 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: preconditionFailure("a generated table holds the byte \(byte)")
        }
    }
}
