import CTinyKernels

/// Memory that products need on the way, for one user at a time, made once: nothing is allocated while decoding.
package final class MatMulScratch {
    /// Floats of expanded weights that stay in the second-level cache while every row of activations uses them.
    private static let panelFloats = 48 * 1024
    /// Rows of activations that a tile holds.
    static let tileRows = 16

    private let inputs: Int
    private let rows: Int
    private let threads: Int
    private let floats: RowBuffer
    private let codeMemory: RowBuffer
    let shares = Shares()
    private let codes: UnsafeMutablePointer<Int8>
    private let sums: UnsafeMutableBufferPointer<Int32>

    /// - Parameters:
    ///   - inputs: the widest rows of activations that will be multiplied.
    ///   - rows: the most rows at once.
    package init(inputs: Int, rows: Int, threads: Int) {
        self.inputs = inputs.roundedUp(to: 32)
        self.rows = rows.roundedUp(to: Self.tileRows)
        self.threads = threads
        let numbers = self.rows * self.inputs
        floats = RowBuffer(capacity: threads * Self.threadFloats(inputs: self.inputs) + numbers / 32)
        codeMemory = RowBuffer(capacity: numbers / 2)
        codes = UnsafeMutableRawPointer(codeMemory.base).bindMemory(to: Int8.self, capacity: 2 * numbers)
        sums = .allocate(capacity: numbers / TK_GROUP)
        sums.initialize(repeating: 0)
    }

    deinit { sums.deallocate() }

    func check(inputs: Int, rows: Int, threads: Int) {
        precondition(
            inputs <= self.inputs && rows <= self.rows && threads <= self.threads,
            "scratch for \(self.rows) rows of \(self.inputs) on \(self.threads) threads, not \(rows) of \(inputs) on \(threads)"
        )
    }

    /// Rows of weights expanded at a time: a multiple of the kernels' tiles.
    static func panelRows(inputs: Int) -> Int { max(4, min(64, panelFloats / max(1, inputs) / 4 * 4)) }

    // A thread's floats: panel, or tiles · tile of inputs · tile of outputs.

    private static func threadFloats(inputs: Int) -> Int {
        max(panelFloats, 4 * inputs, Int(TK_TILE_SCRATCH) / 2) + BLAS.tileRows * (inputs + 64)
    }

    /// Weights expanded for the kernels that multiply in tiles.
    func tiles(_ part: Int) -> UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(thread(part)).assumingMemoryBound(to: UInt16.self)
    }

    private func thread(_ part: Int) -> UnsafeMutablePointer<Float> {
        floats.base + part * Self.threadFloats(inputs: inputs)
    }

    func panel(_ part: Int) -> UnsafeMutablePointer<Float> { thread(part) }

    func tileInputs(_ part: Int) -> UnsafeMutablePointer<Float> { thread(part) + max(Self.panelFloats, 4 * inputs) }

    func tileOutputs(_ part: Int) -> UnsafeMutablePointer<Float> { tileInputs(part) + BLAS.tileRows * inputs }

    /// All rows of activations for the kernels that multiply in tiles; the memory is that of `activations`.
    var roundedActivations: UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(codes).assumingMemoryBound(to: UInt16.self)
    }

    /// All quantized rows of activations.
    func activations(isCoarse: Bool) -> tk_quantized {
        tk_quantized(
            high: codes, low: codes + rows * inputs,
            scales: floats.base + threads * Self.threadFloats(inputs: inputs), sums: sums.baseAddress!,
            is_coarse: isCoarse)
    }
}

extension Int {
    package func roundedUp(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }

    func leastCommonMultiple(with other: Int) -> Int {
        var (divisor, rest) = (self, other)
        while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        return self / divisor * other
    }
}
