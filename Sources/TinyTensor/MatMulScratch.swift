import CTinyKernels

/// Memory that products need on the way, for one user at a time, made once: nothing is allocated while decoding.
package final class MatMulScratch {
    /// Floats of expanded weights that stay in the second-level cache while every row of activations uses them.
    private static let panelFloats = 48 * 1024

    private let inputs: Int
    private let rows: Int
    private let threads: Int
    private let floats: RowBuffer
    private let weightCodes: UnsafeMutableBufferPointer<Int8>
    private let activationCodes: UnsafeMutableBufferPointer<Int16>

    /// - Parameters:
    ///   - inputs: the widest rows of activations that will be multiplied.
    ///   - rows: the most rows at once.
    package init(inputs: Int, rows: Int, threads: Int) {
        self.inputs = inputs.roundedUp(to: TK_GROUP)
        self.rows = rows
        self.threads = threads
        let groups = self.inputs / TK_GROUP
        floats = RowBuffer(capacity: threads * Self.threadFloats(inputs: self.inputs) + rows * 2 * groups)
        weightCodes = .allocate(capacity: threads * self.inputs)
        weightCodes.initialize(repeating: 0)
        activationCodes = .allocate(capacity: rows * self.inputs)
        activationCodes.initialize(repeating: 0)
    }

    deinit {
        weightCodes.deallocate()
        activationCodes.deallocate()
    }

    func check(inputs: Int, rows: Int, threads: Int) {
        precondition(
            inputs <= self.inputs && rows <= self.rows && threads <= self.threads,
            "scratch for \(self.rows) rows of \(self.inputs) on \(self.threads) threads, not \(rows) of \(inputs) on \(threads)"
        )
    }

    /// Rows of weights expanded at a time: a multiple of the kernels' tiles.
    static func panelRows(inputs: Int) -> Int { max(4, min(64, panelFloats / max(1, inputs) / 4 * 4)) }

    // A thread's floats: panel · tile of inputs · tile of outputs · scales and offsets of one row of weights.

    private static func threadFloats(inputs: Int) -> Int {
        max(panelFloats, 4 * inputs) + BLAS.tileRows * (inputs + 64) + 2 * (inputs / TK_GROUP) + 16
    }

    private func thread(_ part: Int) -> UnsafeMutablePointer<Float> {
        floats.base + part * Self.threadFloats(inputs: inputs)
    }

    func panel(_ part: Int) -> UnsafeMutablePointer<Float> { thread(part) }

    func tileInputs(_ part: Int) -> UnsafeMutablePointer<Float> { thread(part) + max(Self.panelFloats, 4 * inputs) }

    func tileOutputs(_ part: Int) -> UnsafeMutablePointer<Float> { tileInputs(part) + BLAS.tileRows * inputs }

    /// One unpacked row of weights.
    func unpacked(_ part: Int) -> tk_unpacked {
        let scales = tileOutputs(part) + BLAS.tileRows * 64
        return tk_unpacked(
            codes: weightCodes.baseAddress! + part * inputs, scales: scales, offsets: scales + inputs / TK_GROUP)
    }

    /// All quantized rows of activations.
    var activations: tk_quantized {
        let scales = floats.base + threads * Self.threadFloats(inputs: inputs)
        return tk_quantized(
            codes: activationCodes.baseAddress!, scales: scales,
            sums: scales + rows * (inputs / TK_GROUP))
    }
}

extension Int {
    package func roundedUp(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}
