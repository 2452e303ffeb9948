import CTinyKernels

/// Quantized weights in the layout that kernels stream through, made once when a model is opened.
package final class PackedMatrix: @unchecked Sendable {
    let packed: tk_packed
    private let memory: Storage

    var panels: Int { (packed.rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS }

    /// Bytes that the weights take.
    package var byteCount: Int { memory.bytes.count }

    /// Packs a matrix, all threads sharing its panels.
    init(_ matrix: Matrix, pool: ThreadPool) {
        var packed = tk_packed_format(matrix.type.kernelType, matrix.rows, matrix.columns)
        let panels = (matrix.rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS
        let panelBytes = packed.panel_bytes
        // Kernels prefetch past the end, which is harmless, but they never read there.
        memory = Storage.allocate(byteCount: panels * panelBytes) { memory in
            guard let base = memory.baseAddress else { return }
            let address = UInt(bitPattern: base)  // threads write to parts that do not overlap
            let format = packed
            pool.run { part in
                let range = pool.range(of: part, count: panels)
                let scratch = PackingScratch(columns: matrix.columns)
                withUnsafePointer(to: format) { format in
                    for panel in range {
                        let first = panel * TK_PANEL_ROWS
                        guard let to = UnsafeMutablePointer<UInt8>(bitPattern: address + UInt(panel * panelBytes))
                        else { return }
                        tk_pack_panel(
                            format, matrix.type.kernelType,
                            (matrix.base + first * matrix.rowBytes).assumingMemoryBound(to: UInt8.self),
                            matrix.rowBytes,
                            min(TK_PANEL_ROWS, matrix.rows - first), to, scratch.codes, scratch.scales, scratch.offsets)
                    }
                }
            }
        }
        packed.panels = memory.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        self.packed = packed
    }
}

/// One panel's rows, unpacked.
private final class PackingScratch {
    let codes: UnsafeMutablePointer<Int8>
    let scales: UnsafeMutablePointer<Float>
    let offsets: UnsafeMutablePointer<Float>

    init(columns: Int) {
        codes = .allocate(capacity: TK_PANEL_ROWS * columns)
        scales = .allocate(capacity: TK_PANEL_ROWS * columns / TK_GROUP)
        offsets = .allocate(capacity: TK_PANEL_ROWS * columns / TK_GROUP)
    }

    deinit {
        codes.deallocate()
        scales.deallocate()
        offsets.deallocate()
    }
}

/// Weights made ready for products.
package struct Weights: Sendable {
    /// As stored.
    package let matrix: Matrix
    /// Packed, where products are of quantized weights with quantized activations.
    let packed: PackedMatrix?

    /// Without packing: every product expands rows as it goes.
    package init(matrix: Matrix) { self.init(matrix: matrix, packed: nil) }

    init(matrix: Matrix, packed: PackedMatrix?) {
        self.matrix = matrix
        self.packed = packed
    }

    package var rows: Int { matrix.rows }
    package var columns: Int { matrix.columns }
}

extension Compute {
    /// Makes a matrix ready for products. Once it is packed, the pages of the file it came from are let go.
    package func prepare(_ matrix: Matrix) -> Weights {
        guard precision == .fast, matrix.type.isQuantized, matrix.rows > 0 else {
            return Weights(matrix: matrix, packed: nil)
        }
        let packed = PackedMatrix(matrix, pool: pool)
        matrix.storage.discard(matrix.byteOffset..<matrix.byteOffset + matrix.byteCount)
        return Weights(matrix: matrix, packed: packed)
    }
}
