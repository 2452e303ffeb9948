package import TinyTensor

/// A tensor to be written: what it is, and how its bytes come about, some at a time.
package struct TensorOutput {
    package typealias Emit = (UnsafeRawBufferPointer) throws -> Void

    package let name: String
    /// Outermost dimension first.
    package let shape: [Int]
    package let content: StoredTensor.Content
    package let byteCount: Int
    /// Hands out all bytes, in order.
    package let write: (Emit) throws -> Void

    package init(
        name: String, shape: [Int], content: StoredTensor.Content, byteCount: Int,
        write: @escaping (Emit) throws -> Void
    ) {
        self.name = name
        self.shape = shape
        self.content = content
        self.byteCount = byteCount
        self.write = write
    }

    /// Bytes that are handled at a time.
    package static let portion = 8 << 20

    /// A tensor as it is.
    package init(copying tensor: StoredTensor) {
        self.init(name: tensor.name, shape: tensor.shape, content: tensor.content, byteCount: tensor.byteCount) {
            emit in
            var first = 0
            while first < tensor.byteCount {
                let part = first..<min(tensor.byteCount, first + Self.portion)
                try emit(UnsafeRawBufferPointer(rebasing: tensor.bytes[part]))
                tensor.storage.discard(tensor.byteOffset + part.lowerBound..<tensor.byteOffset + part.upperBound)
                first = part.upperBound
            }
        }
    }

    /// A matrix as another type, row by row.
    ///
    /// - Parameters:
    ///   - shape: as which it is written.
    ///   - importance: for each column, of each of so many equal parts of the rows; nil without.
    ///   - matrix: fetched when it is written.
    /// - Precondition: a row is whole blocks of the type.
    package init(
        name: String, shape: [Int], type: ElementType, rows: Int, columns: Int, importance: [[Float]]? = nil,
        pool: ThreadPool, matrix: @escaping () throws -> Matrix
    ) {
        let rowBytes = type.bytes(for: columns) ?? 0
        self.init(name: name, shape: shape, content: .elements(type), byteCount: rows * rowBytes) { emit in
            let matrix = try matrix()
            precondition(matrix.rows == rows && matrix.columns == columns, "\(name): another shape than planned")
            // Work for all threads, and a portion of floats.
            let step = max(1, min(Self.portion / max(1, columns * 4), Self.portion / max(1, rowBytes)))
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: min(rows, step) * rowBytes, alignment: 64)
            defer { memory.deallocate() }
            let partRows = max(1, rows / max(1, importance?.count ?? 1))
            var first = 0
            while first < rows {
                // A part has importances of its own.
                let part = first..<min(rows, first + step, (first / partRows + 1) * partRows)
                do throws(QuantizationFault) {
                    try matrix.convert(
                        part, to: type, importance: importance.map { $0[min(first / partRows, $0.count - 1)] },
                        into: memory, pool)
                } catch {
                    let what = error.value.isFinite ? "is too large for \(type.rawValue)" : "is no weight to keep"
                    throw OutputError(
                        .notPossible, file: printable(name),
                        "the element in row \(error.row), column \(error.column), \(error.value), \(what)")
                }
                try emit(UnsafeRawBufferPointer(rebasing: memory[..<(part.count * rowBytes)]))
                matrix.slice(part).letGo()
                first = part.upperBound
            }
        }
    }
}
