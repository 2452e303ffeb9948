/// A GGUF file in the making: as good or as bad as the test wants it.
package struct GGUFBytes {
    package indirect enum Value {
        case uint8(UInt8), int8(Int8), uint16(UInt16), int16(Int16), uint32(UInt32), int32(Int32)
        case float32(Float), bool(UInt8), uint64(UInt64), int64(Int64), float64(Double)
        case string(String)
        case bytes([UInt8])
        /// `count` is what the file says, however many values follow.
        case array(type: UInt32, count: UInt64, [Value])
        /// A type that there is not.
        case unknown(type: UInt32)

        package static func strings(_ texts: [String]) -> Value {
            .array(type: 8, count: UInt64(texts.count), texts.map { .string($0) })
        }
        package static func integers(_ numbers: [Int32]) -> Value {
            .array(type: 5, count: UInt64(numbers.count), numbers.map { .int32($0) })
        }

        var type: UInt32 {
            switch self {
            case .uint8: 0
            case .int8: 1
            case .uint16: 2
            case .int16: 3
            case .uint32: 4
            case .int32: 5
            case .float32: 6
            case .bool: 7
            case .string, .bytes: 8
            case .array: 9
            case .uint64: 10
            case .int64: 11
            case .float64: 12
            case .unknown(let type): type
            }
        }
    }

    package struct Tensor {
        package var name: [UInt8]
        /// Innermost dimension first, as the file has it.
        package var dimensions: [UInt64]
        package var type: UInt32
        /// Where in the data; after the tensor before it, aligned, if nil.
        package var offset: UInt64?
        package var data: [UInt8]

        package init(_ name: String, _ dimensions: [UInt64], type: UInt32 = 0, offset: UInt64? = nil, data: [UInt8]) {
            self.name = Array(name.utf8)
            self.dimensions = dimensions
            self.type = type
            self.offset = offset
            self.data = data
        }
    }

    package var version: UInt32 = 3
    package var metadata: [(key: [UInt8], value: Value)] = []
    package var tensors: [Tensor] = []
    package var alignment = 32
    /// What the header says, if not the truth.
    package var tensorCount: UInt64?
    package var keyCount: UInt64?

    package init() {}

    package mutating func add(_ key: String, _ value: Value) { metadata.append((Array(key.utf8), value)) }

    /// Fields: magic, version, tensors, keys; `KEY.length`, `KEY`, `KEY.type`, `KEY.value`;
    /// `NAME.length`, `NAME`, `NAME.dimensions`, `NAME.0` …, `NAME.type`, `NAME.offset`; data.
    package func written() -> ByteWriter {
        var writer = ByteWriter()
        writer.append(Array("GGUF".utf8), as: "magic")
        writer.integer(version, as: "version")
        writer.integer(tensorCount ?? UInt64(tensors.count), as: "tensors")
        writer.integer(keyCount ?? UInt64(metadata.count), as: "keys")
        for (key, value) in metadata {
            let name = String(decoding: key, as: UTF8.self)
            Self.string(key, &writer, name)
            writer.integer(value.type, as: name + ".type")
            Self.write(value, &writer, name + ".value")
        }
        var data: [UInt8] = []
        for tensor in tensors {
            let name = String(decoding: tensor.name, as: UTF8.self)
            Self.string(tensor.name, &writer, name)
            writer.integer(UInt32(tensor.dimensions.count), as: name + ".dimensions")
            for (i, size) in tensor.dimensions.enumerated() { writer.integer(size, as: "\(name).\(i)") }
            writer.integer(tensor.type, as: name + ".type")
            data += [UInt8](repeating: 0, count: (alignment - data.count % alignment) % alignment)
            writer.integer(tensor.offset ?? UInt64(data.count), as: name + ".offset")
            data += tensor.data
        }
        writer.pad(to: alignment)
        writer.append(data, as: "data")
        return writer
    }

    private static func string(_ text: [UInt8], _ writer: inout ByteWriter, _ field: String) {
        writer.integer(UInt64(text.count), as: field + ".length")
        writer.append(text, as: field)
    }

    private static func write(_ value: Value, _ writer: inout ByteWriter, _ field: String) {
        switch value {
        case .uint8(let x), .bool(let x): writer.integer(x, as: field)
        case .int8(let x): writer.integer(x, as: field)
        case .uint16(let x): writer.integer(x, as: field)
        case .int16(let x): writer.integer(x, as: field)
        case .uint32(let x): writer.integer(x, as: field)
        case .int32(let x): writer.integer(x, as: field)
        case .float32(let x): writer.integer(x.bitPattern, as: field)
        case .uint64(let x): writer.integer(x, as: field)
        case .int64(let x): writer.integer(x, as: field)
        case .float64(let x): writer.integer(x.bitPattern, as: field)
        case .string(let text): string(Array(text.utf8), &writer, field)
        case .bytes(let bytes): string(bytes, &writer, field)
        case .array(let type, let count, let values):
            writer.integer(type, as: field + ".type")
            writer.integer(count, as: field + ".count")
            for (i, element) in values.enumerated() { write(element, &writer, "\(field).\(i)") }
        case .unknown: break
        }
    }
}
