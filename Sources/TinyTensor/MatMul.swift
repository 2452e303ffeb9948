package import CTinyKernels

/// A product of rows with a matrix of weights: `y[t][j] = Σ_i x[t][i] · weight[j][i] + bias[j]`.
package struct Product {
    /// `[F, D]`, any element type, prepared by the `Compute` that multiplies.
    package let weights: Weights
    /// `[F]`
    let bias: [Float]?
    /// `[T, F]`, overwritten.
    let y: Rows

    package init(_ weights: Weights, bias: [Float]? = nil, into y: Rows) {
        self.weights = weights
        self.bias = bias
        self.y = y
    }
}

/// What is done with the results of products while they are at hand.
package enum Finish {
    case nothing
    /// y₁ ← f(y₁)
    case activation(tk_activation)
    /// y₁ ← f(y₁) · y₂; both are of one width.
    case gate(tk_activation)
    /// y₁ ← f(stretch · min(y₁, limit)) / stretch · (clip(y₂, ±limit) + 1)
    case clampedGate(tk_activation, limit: Float, stretch: Float)
    /// f(y₁) · y₂, rounded for the next product. Neither y is written, and there are no biases; see `keepsRounded`.
    case roundedGate(tk_activation, into: RoundedRows)
}

extension Compute {
    /// Multiplies each row of activations by up to three matrices.
    ///
    /// The one place that chooses between kernels and BLAS. Threads split the outputs; a sum's order depends on the
    /// number of inputs only, so a row's result is the same alone, in any company and on any number of threads.
    ///
    /// - Parameter x: `[T, D]`
    /// - Precondition: the shapes agree, and `scratch` was made for at least `D` inputs and `T` rows.
    package func multiply(
        _ x: Rows, by first: Product, _ second: Product? = nil, _ third: Product? = nil, finish: Finish = .nothing,
        phase: Phase, scratch: MatMulScratch
    ) {
        let unit: MatMul.Unit =
            phase == .decode
            ? .vectors
            : usesTiles ? .tiles : kernels.hasVectors ? .vectors : .library
        let work = MatMul(
            x: x, rounded: RoundedRows(base: scratch.roundedActivations, count: x.count, width: x.width),
            products: (first, second, third), finish: finish, unit: unit, compute: self, scratch: scratch)
        work.check()
        if work.needsRounding {
            pool.forRanges(of: x.count, grain: MatMulScratch.tileRows) { work.round($0) }
        }
        if unit == .library { _ = BLAS.coreType }
        run(work)
    }

    /// Multiplies rows that a `roundedGate` made.
    package func multiply(_ x: RoundedRows, by product: Product, scratch: MatMulScratch) {
        let nowhere = Rows(base: product.y.base, count: 0, width: 0)  // tiles take no floats
        let work = MatMul(
            x: nowhere, rounded: x, products: (product, nil, nil), finish: .nothing, unit: .tiles, compute: self,
            scratch: scratch)
        work.check()
        run(work)
    }

    private func run(_ work: MatMul) {
        work.scratch.shares.reset()
        pool.run(with: work) { context, part in context.assumingMemoryBound(to: MatMul.self).pointee.run(part) }
    }
}

/// What the threads of some products share.
private struct MatMul {
    /// What multiplies.
    enum Unit {
        case vectors
        /// Prompts, in packed weights.
        case tiles
        /// Prompts, in stored weights, where there are no vector kernels of ours.
        case library
    }

    let x: Rows
    /// The same for tiles, once they are rounded.
    let rounded: RoundedRows
    let products: (Product, Product?, Product?)
    let finish: Finish
    let unit: Unit
    let compute: Compute
    let scratch: MatMulScratch

    func check() {
        func check(_ product: Product?) {
            guard let (weights, y) = product.map({ ($0.weights, $0.y) }) else { return }
            let (count, width) = (rounded.count, rounded.width)
            precondition(
                width == weights.columns && y.width == weights.rows && count == y.count,
                "[\(count), \(width)] by [\(weights.rows), \(weights.columns)] into [\(y.count), \(y.width)]")
        }
        check(products.0)
        check(products.1)
        check(products.2)
        switch finish {
        case .nothing, .activation: break
        case .gate, .clampedGate, .roundedGate:
            precondition(products.0.y.width == products.1?.y.width, "a gate of another width")
        }
        scratch.check(inputs: rounded.width, rows: rounded.count, threads: compute.pool.threadCount)
    }

    /// Whether any of the kernels takes rounded activations.
    var needsRounding: Bool {
        func needs(_ product: Product?) -> Bool {
            guard case .packed(let weights)? = product?.weights.form else { return false }
            return unit == .tiles ? weights.suitsTiles : weights.isQuantized
        }
        return needs(products.0) || needs(products.1) || needs(products.2)
    }

    /// Activations as the unit takes them, for some rows.
    func round(_ rows: Range<Int>) {
        if unit == .tiles {
            compute.kernels.table.pointee.round_rows(
                x.base, rows.lowerBound, rows.upperBound, x.count, x.width, rounded.base)
        } else {
            var activations = scratch.activations
            compute.kernels.table.pointee.quantize_rows(
                compute.kernels.table, x.base, rows.lowerBound, rows.upperBound, x.width, &activations)
        }
    }

    /// Shares of the outputs: a token's take microseconds, a prompt's are worth sharing out finely.
    private var shareCount: Int { compute.pool.threadCount * (unit == .tiles || x.count >= 32 ? 4 : 1) }

    func run(_ part: Int) {
        while let share = scratch.shares.next(of: shareCount) { run(share, part) }
    }

    private func run(_ share: Int, _ part: Int) {
        if case .roundedGate(let function, let hidden) = finish { return multiplyGated(function, hidden, share, part) }
        let outputs = multiply(products.0, share, part)
        if let second = products.1 { multiply(second, share, part) }
        if let third = products.2 { multiply(third, share, part) }
        let (y, kernels) = (products.0.y, compute.kernels.table.pointee)
        switch finish {
        case .nothing, .roundedGate: break
        case .activation(let function):
            for t in 0..<y.count { kernels.activate(function, y[t] + outputs.lowerBound, outputs.count) }
        case .gate(let function): gate(function, outputs, limit: nil, stretch: 1)
        case .clampedGate(let function, let limit, let stretch):
            gate(function, outputs, limit: limit, stretch: stretch)
        }
    }

    private func multiplyGated(_ function: tk_activation, _ hidden: RoundedRows, _ share: Int, _ part: Int) {
        guard case .packed(let gate) = products.0.weights.form, case .packed(let up)? = products.1?.weights.form
        else { return }
        // Whole tiles of the next product's inputs.
        let outputs = ThreadPool.range(
            of: share, in: shareCount, count: products.0.weights.rows, grain: 2 * TK_PANEL_ROWS)
        if outputs.isEmpty { return }
        var (first, second) = (gate.packed, up.packed)
        compute.kernels.table.pointee.multiply_gated(
            &first, &second, outputs.lowerBound / TK_PANEL_ROWS,
            (outputs.upperBound + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS, rounded.base, rounded.count, function,
            hidden.base, scratch.tiles(part))
    }

    private func gate(_ function: tk_activation, _ outputs: Range<Int>, limit: Float?, stretch: Float) {
        guard let factors = products.1?.y else { return }
        let (y, kernels) = (products.0.y, compute.kernels.table.pointee)
        for t in 0..<y.count {
            let (gate, factor) = (y[t] + outputs.lowerBound, factors[t] + outputs.lowerBound)
            if let limit { kernels.clamp(gate, factor, limit, outputs.count) }
            if stretch != 1 { kernels.scale(gate, stretch, outputs.count) }
            kernels.activate_gated(function, gate, factor, outputs.count)
            if stretch != 1 { kernels.scale(gate, 1 / stretch, outputs.count) }
        }
    }

    /// - Returns: the outputs of this share: the same for matrices of one number of rows.
    @discardableResult
    private func multiply(_ product: Product, _ share: Int, _ part: Int) -> Range<Int> {
        let (rows, y) = (product.weights.rows, product.y)
        // Whole pairs of panels or of BLAS' tiles, so that these begin at the same rows on any number of threads.
        let grain =
            switch unit {
            case .vectors: TK_PANEL_ROWS
            case .tiles: 2 * TK_PANEL_ROWS
            case .library: MatMulScratch.panelRows(inputs: x.width)
            }
        let outputs = ThreadPool.range(of: share, in: shareCount, count: rows, grain: grain)
        if outputs.isEmpty { return outputs }
        switch product.weights.form {
        case .packed(let weights): multiplyPacked(weights, outputs, into: y, part)
        case .stored(let weights) where unit == .library: multiplyByLibrary(weights, outputs, into: y, part)
        case .stored(let weights):
            compute.kernels.table.pointee.product_floats(
                compute.kernels.table, weights.type.kernelType, weights.bytes(fromRow: outputs.lowerBound),
                weights.rowBytes, outputs.count, x.width, x.base, x.count, y.base + outputs.lowerBound, y.width,
                scratch.panel(part), MatMulScratch.panelRows(inputs: x.width))
        }
        product.bias?.withUnsafeBufferPointer { bias in
            for t in 0..<y.count {
                compute.kernels.table.pointee.add(
                    y[t] + outputs.lowerBound, bias.baseAddress! + outputs.lowerBound, outputs.count)
            }
        }
        return outputs
    }

    private func multiplyPacked(_ weights: PackedMatrix, _ outputs: Range<Int>, into y: Rows, _ part: Int) {
        let first = outputs.lowerBound / TK_PANEL_ROWS
        let end = (outputs.upperBound + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS
        var packed = weights.packed
        if unit == .tiles && weights.suitsTiles {
            compute.kernels.table.pointee.multiply_rounded(
                &packed, first, end, rounded.base, rounded.count, y.base, y.width, scratch.tiles(part))
        } else if !weights.isQuantized {
            compute.kernels.table.pointee.multiply_floats(&packed, first, end, x.base, x.count, y.base, y.width)
        } else {
            var activations = scratch.activations
            compute.kernels.table.pointee.multiply_packed(
                &packed, first, end, &activations, x.count, y.base, y.width)
        }
    }

    private func multiplyByLibrary(_ weights: Matrix, _ outputs: Range<Int>, into y: Rows, _ part: Int) {
        let (k, tile) = (x.width, BLAS.tileRows)
        let panelRows = MatMulScratch.panelRows(inputs: k)
        let (panel, inputs, results) = (scratch.panel(part), scratch.tileInputs(part), scratch.tileOutputs(part))
        if compute.recording != nil {
            tk_record_kernel_begin(TK_SPAN_MATMUL, weights.type.kernelType, weights.rows, k)
        }
        for j in stride(from: outputs.lowerBound, to: outputs.upperBound, by: panelRows) {
            let n = min(panelRows, outputs.upperBound - j)
            tk_expand(weights.type.kernelType, weights.bytes(fromRow: j), n * k, panel)
            for t in stride(from: 0, to: x.count, by: tile) {
                let rows = min(tile, x.count - t)
                inputs.update(from: x[t], count: rows * k)
                BLAS.multiplyTile(inputs, panel, outputs: n, inputs: k, into: results)
                for row in 0..<rows { (y[t + row] + j).update(from: results + row * n, count: n) }
            }
        }
        if compute.recording != nil {
            let (part, numbers) = (Double(outputs.count) / Double(weights.rows), Double(x.count * outputs.count))
            tk_record_kernel_end(
                part, Double(outputs.count * weights.rowBytes) + 4 * (numbers + part * Double(x.count * k)),
                2 * numbers * Double(k))
        }
    }
}

extension Matrix {
    fileprivate func bytes(fromRow row: Int) -> UnsafePointer<UInt8> {
        (base + row * rowBytes).assumingMemoryBound(to: UInt8.self)
    }
}

extension CPU.Kernels {
    /// Whether the products are more than plain C.
    package var hasVectors: Bool { name != "plain" }
}

extension Compute {
    /// Whether prompts have kernels of their own, which work in tiles of rounded numbers.
    package var usesTiles: Bool { precision == .fast && kernels.table.pointee.multiply_rounded != nil }
}
