import CTinyKernels

extension Compute {
    /// Multiplies each row of activations by a matrix of weights.
    ///
    ///     y[t][j] = Σ_i x[t][i] · weight[j][i]
    ///
    /// The one place that chooses between kernels and BLAS. Threads split the outputs; a sum's order depends on the
    /// number of inputs only, so a row's result is the same alone, in any company and on any number of threads.
    ///
    /// - Parameters:
    ///   - x: `[T, D]`
    ///   - weights: `[F, D]`, any element type, prepared by this `Compute`.
    ///   - y: `[T, F]`, overwritten.
    /// - Precondition: the shapes agree, and `scratch` was made for at least `D` inputs and `T` rows.
    package func multiply(_ x: Rows, by weights: Weights, into y: Rows, phase: Phase, scratch: MatMulScratch) {
        precondition(
            x.width == weights.columns && y.width == weights.rows && x.count == y.count,
            "[\(x.count), \(x.width)] by [\(weights.rows), \(weights.columns)] into [\(y.count), \(y.width)]")
        scratch.check(inputs: x.width, rows: x.count, threads: pool.threadCount)
        switch weights.form {
        case .packed(let packed): multiplyPacked(x, by: packed, into: y, scratch: scratch)
        case .stored(let matrix) where phase == .prompt && !kernels.hasVectors:
            multiplyBLAS(x, by: matrix, into: y, scratch: scratch)
        case .stored(let matrix): multiplyFloats(x, by: matrix, into: y, scratch: scratch)
        }
    }

    /// What the threads of a product share.
    private struct Product<W> {
        let kernels: UnsafePointer<tk_kernels>
        let pool: ThreadPool
        let x: Rows
        let weight: W
        let y: Rows
        let scratch: MatMulScratch
    }

    private func multiplyFloats(_ x: Rows, by weight: Matrix, into y: Rows, scratch: MatMulScratch) {
        let product = Product(kernels: kernels.table, pool: pool, x: x, weight: weight, y: y, scratch: scratch)
        pool.run(with: product) { context, part in
            let it = context.assumingMemoryBound(to: Product<Matrix>.self).pointee
            let outputs = it.pool.range(of: part, count: it.weight.rows, grain: 4)
            let k = it.weight.columns
            tk_product_floats(
                it.kernels, it.weight.type.kernelType, it.weight.bytes(fromRow: outputs.lowerBound), it.weight.rowBytes,
                outputs.count, k, it.x.base, it.x.count, it.y.base + outputs.lowerBound, it.y.width,
                it.scratch.panel(part), MatMulScratch.panelRows(inputs: k))
        }
    }

    private func multiplyPacked(_ x: Rows, by weight: PackedMatrix, into y: Rows, scratch: MatMulScratch) {
        let product = Product(kernels: kernels.table, pool: pool, x: x, weight: weight, y: y, scratch: scratch)
        if x.count == 1 {
            var activations = scratch.activations
            tk_quantize_rows(kernels.table, x.base, 0, 1, x.width, &activations)
        } else {
            pool.run(with: product) { context, part in
                let it = context.assumingMemoryBound(to: Product<PackedMatrix>.self).pointee
                let rows = it.pool.range(of: part, count: it.x.count)
                var activations = it.scratch.activations
                tk_quantize_rows(it.kernels, it.x.base, rows.lowerBound, rows.upperBound, it.x.width, &activations)
            }
        }
        pool.run(with: product) { context, part in
            let it = context.assumingMemoryBound(to: Product<PackedMatrix>.self).pointee
            let panels = it.pool.range(of: part, count: it.weight.panels)
            var (packed, activations) = (it.weight.packed, it.scratch.activations)
            it.kernels.pointee.multiply_packed(
                &packed, panels.lowerBound, panels.upperBound, &activations, it.x.count, it.y.base, it.y.width)
        }
    }

    /// For instruction sets without vector kernels of our own.
    private func multiplyBLAS(_ x: Rows, by weight: Matrix, into y: Rows, scratch: MatMulScratch) {
        _ = BLAS.coreType
        let k = weight.columns
        let tile = BLAS.tileRows
        let panelRows = MatMulScratch.panelRows(inputs: k)
        pool.run { part in
            let panel = scratch.panel(part)
            let inputs = scratch.tileInputs(part)
            let results = scratch.tileOutputs(part)
            for first in stride(from: 0, to: outputs(part).count, by: panelRows) {
                let j = outputs(part).lowerBound + first
                let n = min(panelRows, outputs(part).upperBound - j)
                tk_expand(weight.type.kernelType, weight.bytes(fromRow: j), n * k, panel)
                for t in stride(from: 0, to: x.count, by: tile) {
                    let rows = min(tile, x.count - t)
                    inputs.update(from: x[t], count: rows * k)
                    BLAS.multiplyTile(inputs, panel, outputs: n, inputs: k, into: results)
                    for row in 0..<rows { (y[t + row] + j).update(from: results + row * n, count: n) }
                }
            }
        }
        // BLAS' order of summation varies with a panel's size and a row's place in it: panels begin at the same rows on
        // any number of threads.
        func outputs(_ part: Int) -> Range<Int> { pool.range(of: part, count: weight.rows, grain: panelRows) }
    }
}

extension Matrix {
    /// From the first byte of a row on; one past the last row is allowed, for an empty share of the work.
    fileprivate func bytes(fromRow row: Int) -> UnsafePointer<UInt8> {
        (base + row * rowBytes).assumingMemoryBound(to: UInt8.self)
    }
}

extension CPU.Kernels {
    /// Whether the float product is more than plain C.
    fileprivate var hasVectors: Bool { name != "plain" }
}
