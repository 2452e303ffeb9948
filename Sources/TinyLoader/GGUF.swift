import TinyTensor

/// A GGUF file of version 2 or 3: metadata, then a table of tensors, then their bytes, each aligned.
package struct GGUF: Sendable {
    package let path: String
    package let version: Int
    package let metadata: GGUFMetadata
    package let alignment: Int
    package private(set) var index = TensorIndex()

    /// Whether the bytes begin as such a file does.
    package static func recognizes(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: "GGUF".utf8) }

    package init(path: String) throws(FormatError) {
        try self.init(file: MappedFile(path: path))
    }

    package init(file: MappedFile) throws(FormatError) {
        path = file.path
        guard Self.recognizes(file.bytes) else {
            throw FormatError(.unknownFormat, file: file.path, byte: 0, "does not begin with \"GGUF\"")
        }
        var reader = ByteReader(file.bytes, file: file.path, position: 4)
        let version = try reader.integer(UInt32.self, "the version")
        guard version == 2 || version == 3 else {
            let swapped = version.byteSwapped == 2 || version.byteSwapped == 3
            throw FormatError(
                .unsupportedVersion, file: file.path, byte: 4,
                swapped
                    ? "is a big-endian file; little-endian ones are supported"
                    : "has version \(version); 2 and 3 are supported")
        }
        self.version = Int(version)
        // A tensor takes a name's length, a count of dimensions, a type and an offset; a key its length, a type, a byte.
        let tensorCount = try reader.count("the number of tensors", minimumBytes: 24)
        let keyCount = try reader.count("the number of metadata keys", minimumBytes: 13)
        metadata = try GGUFMetadata(count: keyCount, reader: &reader, file: file)

        alignment = try metadata.integer("general.alignment") ?? 32
        guard (8...1 << 20).contains(alignment), alignment.nonzeroBitCount == 1 else {
            throw FormatError(
                .malformed, file: path, name: "general.alignment",
                "is \(alignment); a power of two from 8 on is expected")
        }
        var headers: [Header] = []
        headers.reserveCapacity(tensorCount)
        for _ in 0..<tensorCount { headers.append(try Header(&reader)) }
        let data = reader.position.roundedUp(to: alignment)
        for header in headers { try index.add(try header.tensor(data: data, alignment: alignment, file: file)) }
        try index.checkOverlaps()
    }

    /// A row of the table of tensors.
    private struct Header {
        let name: String
        let shape: [Int]
        let type: UInt32
        let offset: UInt64
        let byte: Int

        init(_ reader: inout ByteReader) throws(FormatError) {
            reader.subject = nil
            byte = reader.position
            name = try reader.string("a tensor's name")
            reader.subject = name
            let dimensions = try reader.integer(UInt32.self, "the number of dimensions")
            guard dimensions <= 4 else {
                throw reader.error(.outOfRange, "has \(dimensions) dimensions; at most 4 are allowed")
            }
            var sizes: [Int] = []
            for _ in 0..<dimensions {
                let size = try reader.integer(UInt64.self, "a dimension")
                guard let size = Int(exactly: size) else {
                    throw reader.error(.outOfRange, "has a dimension of \(size)")
                }
                sizes.append(size)
            }
            shape = sizes.reversed()  // the file has the innermost first
            type = try reader.integer(UInt32.self, "the element type")
            offset = try reader.integer(UInt64.self, "the offset")
        }

        func tensor(data: Int, alignment: Int, file: MappedFile) throws(FormatError) -> StoredTensor {
            func error(_ kind: FormatError.Kind, _ reason: String) -> FormatError {
                FormatError(kind, file: file.path, name: name, byte: byte, reason)
            }
            guard let elements = checkedProduct(shape) else {
                throw error(.outOfRange, "the shape \(shape) is too large")
            }
            let (content, bytes) = try size(of: elements, innermost: shape.last ?? 1, error)
            guard let offset = Int(exactly: offset), offset.isMultiple(of: alignment) else {
                throw error(.misaligned, "the offset \(offset) is no multiple of \(alignment)")
            }
            let (start, overflow) = data.addingReportingOverflow(offset)
            guard !overflow, start <= file.count, bytes <= file.count - start else {
                throw error(
                    .truncated,
                    "needs \(bytes) bytes at offset \(offset) of the data, which begins at byte \(data) of a file of \(file.count)"
                )
            }
            return StoredTensor(
                name: name, content: content, shape: shape, file: file.path, storage: file.storage, byteOffset: start,
                byteCount: bytes)
        }

        private func size(
            of elements: Int, innermost: Int, _ error: (FormatError.Kind, String) -> FormatError
        ) throws(FormatError) -> (StoredTensor.Content, Int) {
            if let type = GGUF.elementTypes[type] {
                guard innermost.isMultiple(of: type.blockElements) else {
                    throw error(
                        .outOfRange, "has rows of \(innermost); \(type.rawValue) has blocks of \(type.blockElements)")
                }
                guard let bytes = type.bytes(for: elements) else {
                    throw error(.outOfRange, "the shape \(shape) is too large")
                }
                return (.elements(type), bytes)
            }
            if let (name, width) = GGUF.plainTypes[type] {
                let (bytes, overflow) = elements.multipliedReportingOverflow(by: width)
                if overflow { throw error(.outOfRange, "the shape \(shape) is too large") }
                return (.other(name), bytes)
            }
            let name = GGUF.unsupportedTypes[type].map { "the element type \($0), which is not supported" }
            throw error(
                .unsupportedType,
                "has \(name ?? "an unknown element type, number \(type)"); supported are "
                    + ElementType.allCases.map(\.rawValue).joined(separator: ", "))
        }
    }

    /// The format's numbers for element types.
    static let elementTypes: [UInt32: ElementType] = [
        0: .f32, 1: .f16, 2: .q4_0, 3: .q4_1, 6: .q5_0, 7: .q5_1, 8: .q8_0, 10: .q2K, 11: .q3K, 12: .q4K, 13: .q5K,
        14: .q6K, 20: .iq4NL, 23: .iq4XS, 30: .bf16, 39: .mxfp4,
    ]
    static let plainTypes: [UInt32: (String, Int)] = [
        24: ("I8", 1), 25: ("I16", 2), 26: ("I32", 4), 27: ("I64", 8), 28: ("F64", 8),
    ]
    private static let unsupportedTypes: [UInt32: String] = [
        4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
        21: "IQ3_S", 22: "IQ2_S", 29: "IQ1_M", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0",
        35: "TQ2_0", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8", 40: "NVFP4",
    ]
}
