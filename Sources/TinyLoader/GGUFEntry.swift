/// A key of GGUF's metadata with its value, as they are written.
package struct GGUFEntry: Sendable, Equatable {
    package let key: String
    /// The value, its type in front.
    package let bytes: [UInt8]

    package init(_ key: String, bytes: [UInt8]) {
        self.key = key
        self.bytes = bytes
    }

    private init(_ key: String, _ type: GGUFMetadata.ValueType, _ body: (inout [UInt8]) -> Void) {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: type.rawValue)
        body(&bytes)
        self.init(key, bytes: bytes)
    }

    private init<T>(
        _ key: String, _ type: GGUFMetadata.ValueType, elements: [T], _ body: (inout [UInt8], T) -> Void
    ) {
        self.init(key, .array) { bytes in
            bytes.append(littleEndian: type.rawValue)
            bytes.append(littleEndian: UInt64(elements.count))
            for element in elements { body(&bytes, element) }
        }
    }

    package static func string(_ key: String, _ value: String) -> GGUFEntry {
        GGUFEntry(key, .string) { $0.append(text: value) }
    }

    package static func integer(_ key: String, _ value: Int) -> GGUFEntry {
        if let small = UInt32(exactly: value) { return GGUFEntry(key, .uint32) { $0.append(littleEndian: small) } }
        return GGUFEntry(key, .int64) { $0.append(littleEndian: Int64(value)) }
    }

    package static func number(_ key: String, _ value: Float) -> GGUFEntry {
        GGUFEntry(key, .float32) { $0.append(littleEndian: value.bitPattern) }
    }

    package static func bool(_ key: String, _ value: Bool) -> GGUFEntry {
        GGUFEntry(key, .bool) { $0.append(value ? 1 : 0) }
    }

    package static func strings(_ key: String, _ values: [String]) -> GGUFEntry {
        GGUFEntry(key, .string, elements: values) { $0.append(text: $1) }
    }

    package static func integers(_ key: String, _ values: [Int]) -> GGUFEntry {
        GGUFEntry(key, .int32, elements: values) { $0.append(littleEndian: Int32(clamping: $1)) }
    }

    package static func numbers(_ key: String, _ values: [Float]) -> GGUFEntry {
        GGUFEntry(key, .float32, elements: values) { $0.append(littleEndian: $1.bitPattern) }
    }

    package static func bools(_ key: String, _ values: [Bool]) -> GGUFEntry {
        GGUFEntry(key, .bool, elements: values) { $0.append($1 ? 1 : 0) }
    }

    package static func bytes(_ key: String, _ values: [UInt8]) -> GGUFEntry {
        GGUFEntry(key, .uint8, elements: values) { $0.append($1) }
    }
}

extension [GGUFEntry] {
    /// The same with a value put in place of that of its key, or added.
    package func setting(_ entry: GGUFEntry) -> [GGUFEntry] {
        contains { $0.key == entry.key } ? map { $0.key == entry.key ? entry : $0 } : self + [entry]
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// A length of 64 bits, and the text.
    mutating func append(text: String) {
        append(littleEndian: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
