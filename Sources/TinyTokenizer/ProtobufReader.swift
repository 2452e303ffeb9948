/// Reads the fields of a protobuf message: a number, a kind, and the bytes that the kind says.
struct ProtobufReader {
    enum Value {
        case integer(UInt64)
        case bits(UInt32)
        case bytes(Range<Int>)
    }

    struct Field {
        let number: Int
        let value: Value
    }

    private let bytes: [UInt8]
    private let file: String
    private var position: Int
    private let end: Int

    /// - Parameter range: where the message lies.
    init(_ bytes: [UInt8], _ range: Range<Int>, file: String) {
        self.bytes = bytes
        self.file = file
        position = range.lowerBound
        end = range.upperBound
    }

    private func error(_ found: String, _ expected: String) -> TokenizerError {
        TokenizerError(file: file, key: "byte \(position)", found: found, expected: expected)
    }

    /// The next field, or nil at the end of the message.
    mutating func next() throws(TokenizerError) -> Field? {
        while position < end {
            let head = try integer()
            guard head >> 3 > 0, head >> 3 < 1 << 29 else { throw error("field \(head >> 3)", "a field's number") }
            let number = Int(head >> 3)
            switch head & 7 {
            case 0: return Field(number: number, value: .integer(try integer()))
            case 1: _ = try skip(8)
            case 2:
                let length = try integer()
                guard length <= UInt64(end - position) else {
                    throw error("\(length) bytes in field \(number)", "at most \(end - position), which are left")
                }
                return Field(number: number, value: .bytes(try skip(Int(length))))
            case 5:
                let range = try skip(4)
                let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[range.lowerBound + $1]) << UInt32(8 * $1) }
                return Field(number: number, value: .bits(bits))
            case let kind: throw error("a field of kind \(kind)", "0, 1, 2 or 5")
            }
        }
        return nil
    }

    private mutating func skip(_ count: Int) throws(TokenizerError) -> Range<Int> {
        guard count <= end - position else { throw error("\(end - position) bytes", "\(count) for a field") }
        defer { position += count }
        return position..<position + count
    }

    /// Seven bits a byte, the low ones first; a set eighth bit says that more follow.
    private mutating func integer() throws(TokenizerError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw error(shift < 64 ? "the end of the message" : "a number of more than 64 bits", "a number")
    }
}
