package import TinyJSON

/// A value of GGUF's metadata.
package enum GGUFValue: Sendable, Equatable {
    case integer(Int)
    case number(Double)
    case bool(Bool)
    case string(String)
    case array(GGUFArray)
}

/// An array in GGUF's metadata, left where it lies: vocabularies are long, and not every command wants them.
package struct GGUFArray: Sendable, Equatable {
    package let elementType: GGUFMetadata.ValueType
    package let count: Int
    let byteOffset: Int
}

/// The key-value pairs at the head of a GGUF file.
package struct GGUFMetadata: Sendable {
    /// The format's numbers for the types of values.
    package enum ValueType: UInt32, Sendable {
        case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

        /// The least bytes a value takes.
        var minimumBytes: Int {
            switch self {
            case .uint8, .int8, .bool: 1
            case .uint16, .int16: 2
            case .uint32, .int32, .float32: 4
            case .string, .uint64, .int64, .float64: 8
            case .array: 12
            }
        }
    }

    package private(set) var keys: [String] = []
    private var values: [ExactKey: GGUFValue] = [:]
    /// Where each value lies in the file, in the order of the keys, its type in front.
    private var places: [Range<Int>] = []
    private let file: MappedFile

    package subscript(key: String) -> GGUFValue? { values[ExactKey(key)] }

    init(count: Int, reader: inout ByteReader, file: MappedFile) throws(FormatError) {
        self.file = file
        for _ in 0..<count {
            reader.subject = nil
            let key = try reader.string("a metadata key")
            reader.subject = key
            let start = reader.position
            let value = try Self.value(try Self.type(&reader), &reader, depth: 0)
            guard values.updateValue(value, forKey: ExactKey(key)) == nil else {
                throw reader.error(.duplicate, "this metadata key stands there twice")
            }
            keys.append(key)
            places.append(start..<reader.position)
        }
        reader.subject = nil
    }

    /// Every key and its value as the file has them, to be written again.
    package var entries: [GGUFEntry] {
        zip(keys, places).map { GGUFEntry($0, bytes: Array(UnsafeRawBufferPointer(rebasing: file.bytes[$1]))) }
    }

    private static func type(_ reader: inout ByteReader) throws(FormatError) -> ValueType {
        let raw = try reader.integer(UInt32.self, "the type of a metadata value")
        guard let type = ValueType(rawValue: raw) else {
            throw reader.error(.malformed, "the metadata value has the unknown type \(raw)")
        }
        return type
    }

    private static func value(
        _ type: ValueType, _ reader: inout ByteReader, depth: Int
    ) throws(FormatError) -> GGUFValue {
        let what = "a metadata value"
        switch type {
        case .uint8: return .integer(Int(try reader.integer(UInt8.self, what)))
        case .int8: return .integer(Int(try reader.integer(Int8.self, what)))
        case .uint16: return .integer(Int(try reader.integer(UInt16.self, what)))
        case .int16: return .integer(Int(try reader.integer(Int16.self, what)))
        case .uint32: return .integer(Int(try reader.integer(UInt32.self, what)))
        case .int32: return .integer(Int(try reader.integer(Int32.self, what)))
        case .uint64:
            let value = try reader.integer(UInt64.self, what)
            return Int(exactly: value).map { .integer($0) } ?? .number(Double(value))
        case .int64: return .integer(Int(try reader.integer(Int64.self, what)))
        case .float32: return .number(Double(Float(bitPattern: try reader.integer(UInt32.self, what))))
        case .float64: return .number(Double(bitPattern: try reader.integer(UInt64.self, what)))
        case .bool:
            let value = try reader.integer(UInt8.self, what)
            guard value < 2 else { throw reader.error(.malformed, "a truth value is \(value), not 0 or 1") }
            return .bool(value == 1)
        case .string: return .string(try reader.string(what))
        case .array: return .array(try array(&reader, depth: depth + 1))
        }
    }

    /// Walks over an array, checking it, without keeping its elements.
    private static func array(_ reader: inout ByteReader, depth: Int) throws(FormatError) -> GGUFArray {
        guard depth <= 4 else { throw reader.error(.malformed, "arrays are nested deeper than 4") }
        let type = try type(&reader)
        let count = try reader.count("the length of an array", minimumBytes: type.minimumBytes)
        let start = reader.position
        switch type {
        case .string: for _ in 0..<count { try reader.skipString("a string of an array") }
        case .array: for _ in 0..<count { _ = try array(&reader, depth: depth + 1) }
        default: _ = try reader.skip(count * type.minimumBytes, "an array")
        }
        return GGUFArray(elementType: type, count: count, byteOffset: start)
    }

    // MARK: Typed access

    private func error(_ key: String, _ expected: String) -> FormatError {
        FormatError(.malformed, file: file.path, name: key, "is not \(expected)")
    }

    package func string(_ key: String) throws(FormatError) -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let text) = value else { throw error(key, "a string") }
        return text
    }

    package func integer(_ key: String) throws(FormatError) -> Int? {
        guard let value = self[key] else { return nil }
        guard case .integer(let integer) = value else { throw error(key, "a whole number") }
        return integer
    }

    package func bool(_ key: String) throws(FormatError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .bool(let bool) = value else { throw error(key, "true or false") }
        return bool
    }

    /// An array of strings, which for vocabularies are many.
    package func texts(_ key: String) throws(FormatError) -> TextList? {
        guard let value = self[key] else { return nil }
        guard case .array(let array) = value, array.elementType == .string else {
            throw error(key, "an array of strings")
        }
        var reader = ByteReader(file.bytes, file: file.path, position: array.byteOffset)
        reader.subject = key
        var texts = TextList()
        texts.reserveCapacity(texts: array.count, bytes: 8 * array.count)
        for _ in 0..<array.count { try reader.string("a string of an array", into: &texts) }
        return texts
    }

    package func numbers(_ key: String) throws(FormatError) -> [Float]? {
        guard let value = self[key] else { return nil }
        guard case .array(let array) = value, array.elementType == .float32 else {
            throw error(key, "an array of 32-bit numbers")
        }
        var reader = ByteReader(file.bytes, file: file.path, position: array.byteOffset)
        reader.subject = key
        var numbers: [Float] = []
        numbers.reserveCapacity(array.count)
        for _ in 0..<array.count {
            numbers.append(Float(bitPattern: try reader.integer(UInt32.self, "an array of numbers")))
        }
        return numbers
    }

    package func integers(_ key: String) throws(FormatError) -> [Int]? {
        // As vocabularies have them, by the hundred thousand.
        if case .array(let array) = self[key], array.elementType == .int32 {
            var reader = ByteReader(file.bytes, file: file.path, position: array.byteOffset)
            reader.subject = key
            var integers: [Int] = []
            integers.reserveCapacity(array.count)
            for _ in 0..<array.count { integers.append(Int(try reader.integer(Int32.self, "an array of numbers"))) }
            return integers
        }
        return try elements(key, "an array of whole numbers") {
            if case .integer(let integer) = $0 { integer } else { nil }
        }
    }

    package func bools(_ key: String) throws(FormatError) -> [Bool]? {
        try elements(key, "an array of truth values") { if case .bool(let bool) = $0 { bool } else { nil } }
    }

    private func elements<T>(
        _ key: String, _ expected: String, _ convert: (GGUFValue) -> T?
    ) throws(FormatError) -> [T]? {
        guard let value = self[key] else { return nil }
        guard case .array(let array) = value else { throw error(key, expected) }
        var reader = ByteReader(file.bytes, file: file.path, position: array.byteOffset)
        reader.subject = key
        var elements: [T] = []
        elements.reserveCapacity(array.count)
        for _ in 0..<array.count {
            guard let element = convert(try Self.value(array.elementType, &reader, depth: 1)) else {
                throw error(key, expected)
            }
            elements.append(element)
        }
        return elements
    }
}
