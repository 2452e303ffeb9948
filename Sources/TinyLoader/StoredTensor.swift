import TinyJSON
package import TinyTensor

/// A tensor as it lies in a file.
package struct StoredTensor: Sendable {
    /// What its elements are: a type we compute with, or one that some files carry beside the weights.
    package enum Content: Sendable, Equatable {
        case elements(ElementType)
        /// Integers, truth values, doubles: named as the file names them.
        case other(String)

        package var name: String {
            switch self {
            case .elements(let type): type.rawValue
            case .other(let name): name
            }
        }
    }

    package let name: String
    package let content: Content
    /// Outermost dimension first, whichever way the file has it: a matrix is `[outputs, inputs]`.
    package let shape: [Int]
    package let file: String
    package let storage: Storage
    package let byteOffset: Int
    package let byteCount: Int

    /// A tensor to be, for those who ask what it is called and how large it will be.
    ///
    /// - Parameter matrix: its elements, where someone may ask for these too.
    package init(planned name: String, content: Content, shape: [Int], matrix: Matrix? = nil) {
        self.init(
            name: name, content: content, shape: shape, file: "",
            storage: matrix?.storage ?? Storage(UnsafeRawBufferPointer(start: nil, count: 0)) { _ in },
            byteOffset: matrix?.byteOffset ?? 0, byteCount: matrix?.byteCount ?? 0)
    }

    init(
        name: String, content: Content, shape: [Int], file: String, storage: Storage, byteOffset: Int, byteCount: Int
    ) {
        self.name = name
        self.content = content
        self.shape = shape
        self.file = file
        self.storage = storage
        self.byteOffset = byteOffset
        self.byteCount = byteCount
    }

    package var elementCount: Int { shape.reduce(1, *) }  // checked against the file when it was read

    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: storage.bytes[byteOffset..<byteOffset + byteCount])
    }

    /// The element type, for tensors that take part in arithmetic.
    package func elementType() throws(FormatError) -> ElementType {
        switch content {
        case .elements(let type): return type
        case .other(let found): throw error(.unsupportedType, "holds \(found); weights are expected here")
        }
    }

    /// As a matrix: rows along the last dimension, all others joined; a vector is one row.
    package func matrix() throws(FormatError) -> Matrix {
        try matrix(columns: shape.last ?? 0)
    }

    /// As a matrix of one row for each element of the first dimension, the others joined.
    package func joinedMatrix() throws(FormatError) -> Matrix {
        try matrix(columns: shape.count < 2 ? shape.last ?? 0 : shape[1...].reduce(1, *))
    }

    private func matrix(columns: Int) throws(FormatError) -> Matrix {
        let type = try elementType()
        guard !shape.isEmpty else {
            throw error(.malformed, "has shape \(shape); at least one dimension is expected")
        }
        // A tensor without rows takes no bytes, whatever the length of its rows.
        guard let rowBytes = type.bytes(for: columns) else {
            throw error(.outOfRange, "the shape \(shape) is too large, or its rows are no whole blocks")
        }
        return Matrix(
            type: type, rows: columns == 0 ? 0 : elementCount / columns, columns: rowBytes == 0 ? 0 : columns,
            storage: storage, byteOffset: byteOffset)
    }

    /// Rows of four-bit floats from codes `[…, F, blocks, 16]` and scales `[…, F, blocks]`, stored apart, as the MXFP4 of
    /// this project's files: a scale, then sixteen bytes whose low halves come before the high ones.
    ///
    /// - Parameter rows: which, of all leading dimensions joined.
    /// - Precondition: both hold bytes, and the shapes agree; the binder has checked it.
    package func fourBitMatrix(scales: StoredTensor, rows: Range<Int>) -> Matrix {
        let blocks = shape[shape.count - 2]
        let (first, count) = (rows.lowerBound * blocks, rows.count * blocks)
        let (codes, exponents) = (bytes, scales.bytes)
        precondition((first + count) * 16 <= codes.count && first + count <= exponents.count, "rows outside the tensor")
        let storage = Storage.allocate(byteCount: count * 17) { memory in
            for block in 0..<count {
                memory[block * 17] = exponents[first + block]
                let from = (first + block) * 16
                for i in 0..<16 {
                    // Elements i and i + 16 share a byte here, 2j and 2j + 1 there.
                    let (low, high) = (codes[from + i / 2], codes[from + 8 + i / 2])
                    let shift = UInt8(i % 2 * 4)
                    memory[block * 17 + 1 + i] = low >> shift & 15 | (high >> shift & 15) << 4
                }
            }
        }
        return Matrix(type: .mxfp4, rows: rows.count, columns: blocks * 32, storage: storage)
    }

    /// All 64-bit integers of the tensor.
    package func integers() throws(FormatError) -> [Int] {
        guard content == .other("I64") else { throw error(.unsupportedType, "holds \(content.name); I64 is expected") }
        return (0..<elementCount).map {
            Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)))
        }
    }

    package func error(_ kind: FormatError.Kind, _ reason: String) -> FormatError {
        FormatError(kind, file: file, name: name, byte: byteOffset, reason)
    }
}

/// The tensors of one or more files by name, in the files' order.
package struct TensorIndex: Sendable {
    package private(set) var tensors: [StoredTensor] = []
    private var positions: [ExactKey: Int] = [:]

    package init() {}

    package subscript(name: String) -> StoredTensor? { positions[ExactKey(name)].map { tensors[$0] } }

    /// - Throws: kind `duplicate` if the name is taken.
    package mutating func add(_ tensor: StoredTensor) throws(FormatError) {
        guard positions.updateValue(tensors.count, forKey: ExactKey(tensor.name)) == nil else {
            throw tensor.error(.duplicate, "there are two tensors of this name")
        }
        tensors.append(tensor)
    }

    /// - Throws: kind `overlap` if two tensors of one file share a byte.
    package func checkOverlaps() throws(FormatError) {
        let ordered = tensors.filter { $0.byteCount > 0 }.sorted { $0.byteOffset < $1.byteOffset }
        for (a, b) in zip(ordered, ordered.dropFirst()) where a.byteOffset + a.byteCount > b.byteOffset {
            throw b.error(
                .overlap, "begins inside tensor \(printable(a.name)), which ends at byte \(a.byteOffset + a.byteCount)")
        }
    }
}

/// The product of dimensions, or nil if one is negative or the product leaves 63 bits.
package func checkedProduct(_ shape: [Int]) -> Int? {
    var product = 1
    for dimension in shape {
        let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
        if dimension < 0 || overflow { return nil }
        product = next
    }
    return product
}
