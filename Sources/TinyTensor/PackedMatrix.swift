import CTinyKernels

/// Weights in the layout that kernels stream through, made once when a model is opened.
package final class PackedMatrix: @unchecked Sendable {
    let packed: tk_packed
    private let memory: Storage

    /// Whether activations are quantized before they are multiplied, where no tiles are.
    let isQuantized: Bool
    /// Whether tiles of bf16 are good enough: where weights are, or are quantized.
    let suitsTiles: Bool

    var panels: Int { (packed.rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS }

    /// Bytes that the weights take.
    package var byteCount: Int { memory.bytes.count }

    /// Packs a matrix, all threads sharing its panels. The pages of the file it came from are let go.
    ///
    /// - Parameter portionBytes: how much is packed before pages are let go, so that no large matrix is held twice.
    init(
        _ matrix: Matrix, in weightMemory: WeightMemory = WeightMemory(), pool: ThreadPool, portionBytes: Int = 16 << 20
    ) {
        var packed = tk_packed_format(matrix.type.kernelType, matrix.rows, matrix.columns)
        let panels = (matrix.rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS
        let panelBytes = packed.panel_bytes
        isQuantized = matrix.type.isQuantized
        suitsTiles = isQuantized || matrix.type == .bf16
        // Kernels prefetch past the end, which is harmless, but they never read there.
        memory = weightMemory.allocate(byteCount: panels * panelBytes) { memory in
            guard let base = memory.baseAddress else { return }
            let address = UInt(bitPattern: base)  // threads write to parts that do not overlap
            let format = packed
            let portion = max(1, portionBytes / max(panelBytes, 1)).roundedUp(to: pool.threadCount)
            for start in stride(from: 0, to: panels, by: portion) {
                let count = min(portion, panels - start)
                pool.run { part in
                    let range = pool.range(of: part, count: count)
                    withUnsafePointer(to: format) { format in
                        for panel in start + range.lowerBound..<start + range.upperBound {
                            guard let to = UnsafeMutablePointer<UInt8>(bitPattern: address + UInt(panel * panelBytes))
                            else { return }
                            let first = panel * TK_PANEL_ROWS
                            tk_pack_panel(
                                format, (matrix.base + first * matrix.rowBytes).assumingMemoryBound(to: UInt8.self),
                                matrix.rowBytes, min(TK_PANEL_ROWS, matrix.rows - first), to)
                        }
                    }
                }
                let first = start * TK_PANEL_ROWS
                matrix.slice(first..<min(first + count * TK_PANEL_ROWS, matrix.rows)).letGo()
            }
        }
        packed.panels = memory.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.packed = packed
    }
}

/// Weights made ready for products.
package struct Weights: Sendable {
    enum Form: Sendable {
        /// As stored: every product expands rows as it goes.
        case stored(Matrix)
        /// Interleaved for the kernels; what was stored is not held any more.
        case packed(PackedMatrix)
    }

    /// The same for those who hold nothing themselves.
    enum View {
        case stored(UnsafePointer<UInt8>, tk_type, rowBytes: Int)
        case packed(tk_packed, isQuantized: Bool, suitsTiles: Bool)

        /// Bytes of so many rows.
        func bytes(rows: Int) -> Int {
            switch self {
            case .stored(_, _, let rowBytes): rows * rowBytes
            case .packed(let packed, _, _): rows / TK_PANEL_ROWS * packed.panel_bytes
            }
        }
    }

    let form: Form
    package let rows: Int
    package let columns: Int

    /// Where they lie: no two matrices of a model have one place.
    package var place: UnsafeRawPointer? {
        switch form {
        case .stored(let matrix): UnsafeRawPointer(matrix.base)
        case .packed(let packed): UnsafeRawPointer(packed.packed.panels)
        }
    }

    /// Without packing.
    package init(matrix: Matrix) { self.init(.stored(matrix), rows: matrix.rows, columns: matrix.columns) }

    init(_ form: Form, rows: Int, columns: Int) {
        self.form = form
        self.rows = rows
        self.columns = columns
    }
}

extension Weights.Form {
    /// Valid while this is held.
    var view: Weights.View {
        switch self {
        case .stored(let matrix):
            .stored(
                matrix.base.assumingMemoryBound(to: UInt8.self), matrix.type.kernelType, rowBytes: matrix.rowBytes)
        case .packed(let matrix):
            .packed(matrix.packed, isQuantized: matrix.isQuantized, suitsTiles: matrix.suitsTiles)
        }
    }
}

extension Compute {
    /// Makes a matrix ready for products. Where it is packed, the pages of the file it came from are let go.
    package func prepare(_ matrix: Matrix) -> Weights {
        // Plain C multiplies floats by BLAS, which wants them as they are.
        let isUseful = matrix.type.isQuantized || kernels.hasVectors
        guard Self.packs(columns: matrix.columns, precision), isUseful, matrix.rows > 0 else {
            return Weights(matrix: matrix)
        }
        let packed = PackedMatrix(matrix, in: weightMemory, pool: pool)
        return Weights(.packed(packed), rows: matrix.rows, columns: matrix.columns)
    }

    /// Bytes that a matrix of this shape takes once it is prepared for a precision.
    package static func preparedBytes(_ type: ElementType, rows: Int, columns: Int, precision: Precision) -> Int {
        guard packs(columns: columns, precision) else { return (type.bytes(for: columns) ?? 0) * rows }
        return tk_packed_format(type.kernelType, rows, columns).panel_bytes
            * ((rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS)
    }

    /// Whether weights are packed: rows of whole blocks of 32 inputs, where not everything is exact.
    private static func packs(columns: Int, _ precision: Precision) -> Bool {
        precision == .fast && columns.isMultiple(of: 32)
    }
}
