import CTinyKernels

/// Weights as stored: `rows` outputs of `columns` inputs each, row after row, any element type. Immutable and shared.
package struct Matrix: Sendable {
    package let type: ElementType
    package let rows: Int
    package let columns: Int
    package let storage: Storage
    /// Where the first row begins in the storage.
    package let byteOffset: Int
    package let rowBytes: Int

    /// - Precondition: a row is whole blocks, and the rows lie inside the storage. Readers of files have checked it.
    package init(type: ElementType, rows: Int, columns: Int, storage: Storage, byteOffset: Int = 0) {
        guard let rowBytes = type.bytes(for: columns) else {
            preconditionFailure("\(columns) columns are no whole number of \(type.rawValue) blocks")
        }
        precondition(byteOffset >= 0 && byteOffset + rows * rowBytes <= storage.bytes.count, "rows outside the storage")
        self.type = type
        self.rows = rows
        self.columns = columns
        self.storage = storage
        self.byteOffset = byteOffset
        self.rowBytes = rowBytes
    }

    /// Of floats, row after row.
    package init(floats: [Float], columns: Int) {
        let storage = Storage.allocate(byteCount: floats.count * 4) { memory in
            floats.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
        self.init(type: .f32, rows: columns == 0 ? 0 : floats.count / columns, columns: columns, storage: storage)
    }

    package var byteCount: Int { rows * rowBytes }
    package var base: UnsafeRawPointer { storage.bytes.baseAddress! + byteOffset }

    /// The bytes of one row.
    package func row(_ index: Int) -> UnsafeRawBufferPointer {
        precondition(index >= 0 && index < rows, "row \(index) of \(rows)")
        return UnsafeRawBufferPointer(start: base + index * rowBytes, count: rowBytes)
    }

    /// Rows `range`, sharing the storage.
    package func slice(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return Matrix(
            type: type, rows: range.count, columns: columns, storage: storage,
            byteOffset: byteOffset + range.lowerBound * rowBytes)
    }

    /// A copy whose row `i` is row `order[i]` of this one. Blocks run along rows, so it holds for every element type.
    package func reordered(_ order: [Int]) -> Matrix {
        let copy = Storage.allocate(byteCount: order.count * rowBytes) { memory in
            for (to, from) in order.enumerated() {
                UnsafeMutableRawBufferPointer(rebasing: memory[(to * rowBytes)...]).copyMemory(from: row(from))
            }
        }
        return Matrix(type: type, rows: order.count, columns: columns, storage: copy)
    }

    /// A copy with rows and columns exchanged; float types only, as blocks cannot be cut across.
    package func transposed() -> Matrix {
        precondition(!type.isQuantized, "\(type.rawValue) cannot be transposed")
        let size = type.blockBytes
        let copy = Storage.allocate(byteCount: byteCount) { memory in
            guard let to = memory.baseAddress else { return }
            tk_transpose(base, rows, columns, size, to)
        }
        return Matrix(type: type, rows: columns, columns: rows, storage: copy)
    }

    /// Lets the pages of a file that the matrix lies in go, as they will hardly be read again; reading them still works.
    package func letGo() { storage.discard(byteOffset..<byteOffset + byteCount) }

    /// Row `index` as floats, into `values` of `columns`.
    package func expand(row index: Int, into values: UnsafeMutablePointer<Float>) {
        tk_expand(type.kernelType, row(index).baseAddress, columns, values)
    }

    /// All elements as floats.
    package func floats() -> [Float] {
        [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
            if rows * columns > 0, let to = buffer.baseAddress { tk_expand(type.kernelType, base, rows * columns, to) }
            count = rows * columns
        }
    }
}
