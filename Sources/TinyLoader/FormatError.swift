/// Why a file cannot be used: which file, where in it, what was found and what was expected.
public struct FormatError: Error, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The system would not open, map or read the file.
        case unreadable
        /// The content is none of the formats we read.
        case unknownFormat
        case unsupportedVersion
        /// An element type we have no kernels for.
        case unsupportedType
        /// The file ends before what it announces.
        case truncated
        /// A size, count or offset does not fit the file, or 64 bits.
        case outOfRange
        /// Two tensors claim the same bytes, or some bytes belong to none.
        case overlap
        case misaligned
        case duplicate
        /// Text that is no UTF-8, a header that is no JSON, a value of the wrong type.
        case malformed
        /// Something that must be there is not.
        case missing
    }

    public let kind: Kind
    public let file: String
    /// The tensor or metadata key at fault.
    public let name: String?
    /// Bytes from the start of the file.
    public let byte: Int?
    public let reason: String

    package init(_ kind: Kind, file: String, name: String? = nil, byte: Int? = nil, _ reason: String) {
        self.kind = kind
        self.file = file
        self.name = name
        self.byte = byte
        self.reason = reason
    }

    public var description: String {
        var place = file
        if let name { place += ", \(printable(name))" }
        if let byte { place += ", at byte \(byte)" }
        return "\(place): \(reason)"
    }
}

/// Names come from files: cut to a length, with nothing in it that a terminal would act on.
package func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(120) {
        let isControl = scalar.value < 0x20 || 0x7F..<0xA0 ~= scalar.value
        result += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(Character(scalar))
    }
    return "\"\(result)\(text.unicodeScalars.count > 120 ? "…" : "")\""
}
