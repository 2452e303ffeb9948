import TinyJSON
import TinyTensor

/// A safetensors file: eight bytes with the header's length, a JSON header, then the tensors' bytes end to end.
///
/// As strict as the format's own library: every byte after the header belongs to exactly one tensor.
package struct Safetensors: Sendable {
    /// The largest header the format allows.
    private static let headerLimit = 100_000_000

    package let path: String
    package private(set) var index = TensorIndex()
    /// The free text under `__metadata__`.
    package private(set) var metadata: [(key: String, value: String)] = []

    package init(path: String) throws(FormatError) {
        try self.init(file: MappedFile(path: path))
    }

    /// Whether the bytes could be such a file.
    package static func recognizes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count > 8 && bytes[8] == UInt8(ascii: "{")
    }

    package init(file: MappedFile) throws(FormatError) {
        path = file.path
        var reader = ByteReader(file.bytes, file: path)
        let length = try reader.count("the header's length", minimumBytes: 1)
        // A header takes many times its bytes once it is read, so one out of proportion to the tensors is not read at all.
        let data = file.count - 8 - length
        guard length <= min(Self.headerLimit, (1 << 20) + data / 64) else {
            throw FormatError(
                .outOfRange, file: path, byte: 0,
                "a header of \(length) bytes for \(data) bytes of tensors; at most 1 MiB and a 64th of the tensors is allowed"
            )
        }
        let start = try reader.skip(length, "the header")
        let header: JSON
        do {
            // A tensor takes seven values and never less than fifty bytes; more values than this are no header.
            header = try JSON(parsing: Array(file.bytes[start..<start + length]), valueLimit: 64 + length / 5)
        } catch {
            throw FormatError(
                error.isDuplicateKey ? .duplicate : .malformed, file: path, byte: start + error.byte,
                "the header is \(error)")
        }
        guard let entries = header.object else {
            throw FormatError(.malformed, file: path, byte: start, "the header is \(header.kind), not an object")
        }
        let dataStart = start + length
        for (name, value) in zip(entries.keys, entries.values) {
            if name == "__metadata__" {
                metadata = try Self.metadata(value, path: path)
            } else {
                try index.add(Self.tensor(name, value, data: dataStart, file: file))
            }
        }
        try index.checkOverlaps()
        let used = index.tensors.reduce(0) { $0 + $1.byteCount }  // no overlap, all in the file: cannot overflow
        guard used == data else {
            throw FormatError(
                .overlap, file: path, byte: dataStart,
                "the tensors take \(used) of the \(data) bytes after the header")
        }
    }

    private static func metadata(_ value: JSON, path: String) throws(FormatError) -> [(key: String, value: String)] {
        guard let object = value.object else {
            throw FormatError(.malformed, file: path, name: "__metadata__", "is \(value.kind), not an object")
        }
        var metadata: [(key: String, value: String)] = []
        for (key, value) in zip(object.keys, object.values) {
            guard let text = value.string else {
                throw FormatError(.malformed, file: path, name: key, "metadata is \(value.kind), not a string")
            }
            metadata.append((key, text))
        }
        return metadata
    }

    private static func tensor(
        _ name: String, _ value: JSON, data: Int, file: MappedFile
    ) throws(FormatError) -> StoredTensor {
        func error(_ kind: FormatError.Kind, _ reason: String) -> FormatError {
            FormatError(kind, file: file.path, name: name, byte: 8, reason)
        }
        guard let entry = value.object else { throw error(.malformed, "is \(value.kind), not an object") }
        if let extra = entry.keys.first(where: { !["dtype", "shape", "data_offsets"].contains($0) }) {
            throw error(.malformed, "has the unknown key \(printable(extra))")
        }
        guard let type = entry["dtype"]?.string else { throw error(.malformed, "has no \"dtype\"") }
        guard let shape = integers(entry["shape"]) else { throw error(.malformed, "has no \"shape\" of whole numbers") }
        guard let offsets = integers(entry["data_offsets"]), offsets.count == 2 else {
            throw error(.malformed, "has no \"data_offsets\" of two whole numbers")
        }
        guard shape.count <= 8 else { throw error(.outOfRange, "has \(shape.count) dimensions; at most 8 are allowed") }
        guard let elements = checkedProduct(shape) else {
            throw error(.outOfRange, "the shape \(shape) is negative or too large")
        }
        guard let (content, bits) = types[type] else {
            throw error(.unsupportedType, "has the unknown element type \(printable(type))")
        }
        let (totalBits, overflow) = elements.multipliedReportingOverflow(by: bits)
        guard !overflow, totalBits.isMultiple(of: 8) else {
            throw error(.outOfRange, "\(elements) elements of \(type) are no number of bytes")
        }
        let (begin, end) = (offsets[0], offsets[1])
        guard begin >= 0, begin <= end, end <= file.count - data else {
            throw error(
                .outOfRange, "lies at bytes \(begin)..<\(end) of the data, which has \(file.count - data)")
        }
        guard end - begin == totalBits / 8 else {
            throw error(
                .outOfRange, "takes \(end - begin) bytes; shape \(shape) of \(type) needs \(totalBits / 8)")
        }
        return StoredTensor(
            name: name, content: content, shape: shape, file: file.path, storage: file.storage,
            byteOffset: data + begin, byteCount: end - begin)
    }

    private static func integers(_ value: JSON?) -> [Int]? {
        guard let array = value?.array else { return nil }
        let integers = array.compactMap(\.integer)
        return integers.count == array.count ? integers : nil
    }

    /// The format's element types and their bits.
    private static let types: [String: (StoredTensor.Content, Int)] = {
        var types: [String: (StoredTensor.Content, Int)] = [
            "F32": (.elements(.f32), 32), "F16": (.elements(.f16), 16), "BF16": (.elements(.bf16), 16),
        ]
        let others = [
            "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "U32": 32,
            "I32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
        ]
        for (name, bits) in others { types[name] = (.other(name), bits) }
        return types
    }()
}
