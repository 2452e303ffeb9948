package import TinyJSON

/// Reads little-endian values one after the other, and never outside the bytes it was given.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    package private(set) var position: Int
    /// What is being read, for messages.
    package var subject: String?

    package init(_ bytes: UnsafeRawBufferPointer, file: String, position: Int = 0) {
        self.bytes = bytes
        self.file = file
        self.position = position
    }

    package var remaining: Int { bytes.count - position }

    package func error(_ kind: FormatError.Kind, _ reason: String) -> FormatError {
        FormatError(kind, file: file, name: subject, byte: position, reason)
    }

    /// Moves on by `count` bytes and returns where they began.
    package mutating func skip(_ count: Int, _ what: String) throws(FormatError) -> Int {
        guard count >= 0, count <= remaining else {
            throw error(.truncated, "the file ends inside \(what): \(count) bytes expected, \(remaining) left")
        }
        defer { position += count }
        return position
    }

    package mutating func integer<T: FixedWidthInteger>(_ type: T.Type, _ what: String) throws(FormatError) -> T {
        let start = try skip(MemoryLayout<T>.size, what)
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: T.self))
    }

    /// A 64-bit count of things that take at least `minimumBytes` each, so that no lie about it can cost memory.
    package mutating func count(_ what: String, minimumBytes: Int) throws(FormatError) -> Int {
        try count("", what, minimumBytes: minimumBytes)
    }

    /// The length of a string. What the message says is put together for the message only.
    private mutating func count(lengthOf what: String) throws(FormatError) -> Int {
        try count("the length of ", what, minimumBytes: 1)
    }

    private mutating func count(
        _ prefix: String, _ what: String, minimumBytes: Int
    ) throws(FormatError) -> Int {
        let start = position
        let value = try integer(UInt64.self, what)
        guard let count = Int(exactly: value), count <= remaining / max(1, minimumBytes) else {
            throw FormatError(
                .outOfRange, file: file, name: subject, byte: start,
                "\(prefix)\(what) is \(value), more than the \(remaining) bytes that follow can hold")
        }
        return count
    }

    /// A length of 64 bits and that many bytes of UTF-8.
    package mutating func string(_ what: String) throws(FormatError) -> String {
        let start = position
        let part = try stringBytes(what)
        let text: String? = part.withMemoryRebound(to: UInt8.self) { part in
            do { return String(copying: try UTF8Span(validating: part.span)) } catch { return nil }
        }
        guard let text else { throw notText(what, at: start) }
        return text
    }

    /// The same, behind the texts of a list.
    package mutating func string(_ what: String, into list: inout TextList) throws(FormatError) {
        let start = position
        let part = try stringBytes(what)
        let isText = part.withMemoryRebound(to: UInt8.self) { list.append(validating: $0) }
        guard isText else { throw notText(what, at: start) }
    }

    private mutating func stringBytes(_ what: String) throws(FormatError) -> UnsafeRawBufferPointer {
        // Not put together for each string: only a message wants it.
        let count = try count(lengthOf: what)
        let start = try skip(count, what)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
    }

    private func notText(_ what: String, at start: Int) -> FormatError {
        FormatError(.malformed, file: file, name: subject, byte: start + 8, "\(what) is not valid UTF-8")
    }

    package mutating func skipString(_ what: String) throws(FormatError) {
        let count = try count(lengthOf: what)
        _ = try skip(count, what)
    }
}
