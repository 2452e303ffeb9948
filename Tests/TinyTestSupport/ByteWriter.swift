/// Little-endian bytes for hand-made files, remembering where each field stands so that tests can cut or spoil it.
package struct ByteWriter {
    package struct Field: Sendable {
        package let name: String
        package let range: Range<Int>
    }

    package private(set) var bytes: [UInt8] = []
    package private(set) var fields: [Field] = []

    package init() {}

    package mutating func append(_ more: [UInt8], as field: String? = nil) {
        if let field { fields.append(Field(name: field, range: bytes.count..<bytes.count + more.count)) }
        bytes += more
    }

    package mutating func integer<T: FixedWidthInteger>(_ value: T, as field: String? = nil) {
        append(withUnsafeBytes(of: value.littleEndian) { Array($0) }, as: field)
    }

    package mutating func pad(to multiple: Int) {
        append([UInt8](repeating: 0, count: (multiple - bytes.count % multiple) % multiple))
    }

    /// Where a field begins. A wrong name is the test's own mistake.
    package func offset(of field: String) -> Int {
        guard let found = fields.first(where: { $0.name == field }) else { preconditionFailure("no field \(field)") }
        return found.range.lowerBound
    }

    /// The bytes with one field overwritten.
    package func spoiling<T: FixedWidthInteger>(_ field: String, with value: T) -> [UInt8] {
        var copy = bytes
        let start = offset(of: field)
        withUnsafeBytes(of: value.littleEndian) { copy.replaceSubrange(start..<start + $0.count, with: $0) }
        return copy
    }

    /// The bytes up to a field.
    package func cut(before field: String) -> [UInt8] { Array(bytes[..<offset(of: field)]) }
}
