import CTinyKernels

/// What the threads of some products share. It is lent to them, and what they look at in it is plain memory: counting
/// references, all threads those of the same objects, would take longer than a small product.
struct MatMul: ~Copyable {
    /// What multiplies.
    enum Unit {
        case vectors
        /// Prompts, in packed weights.
        case tiles
        /// Prompts, in stored weights, where there are no vector kernels of ours.
        case library
    }

    /// A matrix of weights that someone else holds, and where its products go.
    struct Factor {
        let weights: Weights.View
        let rows: Int
        let columns: Int
        /// `[F]`
        let bias: UnsafePointer<Float>?
        /// `[T, F]`
        let y: Rows
    }

    typealias Factors = (Factor, Factor?, Factor?)

    let x: Rows
    /// The same for tiles, once they are rounded.
    let rounded: RoundedRows
    let factors: Factors
    let finish: Finish
    let unit: Unit
    let phase: Phase
    let compute: Compute
    let scratch: MatMulScratch

    func check() {
        let (count, width) = (rounded.count, rounded.width)
        func check(_ factor: Factor?) {
            guard let factor else { return }
            precondition(
                width == factor.columns && factor.y.width == factor.rows && count == factor.y.count,
                "[\(count), \(width)] by [\(factor.rows), \(factor.columns)] into [\(factor.y.count), \(factor.y.width)]"
            )
        }
        check(factors.0)
        check(factors.1)
        check(factors.2)
        switch finish {
        case .nothing, .activation: break
        case .gate, .clampedGate, .roundedGate:
            precondition(factors.0.y.width == factors.1?.y.width, "a gate of another width")
        }
        scratch.check(inputs: rounded.width, rows: rounded.count, threads: compute.pool.threadCount)
    }

    /// Whether any of the kernels takes rounded activations.
    var needsRounding: Bool {
        let unit = unit
        func needs(_ factor: Factor?) -> Bool {
            guard case .packed(_, let isQuantized, let suitsTiles)? = factor?.weights else { return false }
            return unit == .tiles ? suitsTiles : isQuantized
        }
        return needs(factors.0) || needs(factors.1) || needs(factors.2)
    }

    /// Whether activations have 8 bits but where these are too few: a prompt's, by weights that are rounded more
    /// coarsely still, where kernels gain by it. Several matrices have the same activations, so it must do for all.
    private var isCoarse: Bool {
        func isNarrow(_ factor: Factor?) -> Bool {
            guard let factor else { return true }
            guard case .packed(let weights, _, _) = factor.weights else { return false }
            return weights.is_narrow
        }
        return phase == .prompt && x.width >= Compute.leastCoarseInputs
            && compute.kernels.table.pointee.prefers_coarse
            && isNarrow(factors.0) && isNarrow(factors.1) && isNarrow(factors.2)
    }

    /// Activations as the unit takes them, for some rows.
    func round(_ rows: Range<Int>) {
        if unit == .tiles {
            compute.kernels.table.pointee.round_rows(
                x.base, rows.lowerBound, rows.upperBound, x.count, x.width, rounded.base)
        } else {
            var activations = scratch.activations(isCoarse: isCoarse)
            compute.kernels.table.pointee.quantize_rows(
                compute.kernels.table, x.base, rows.lowerBound, rows.upperBound, x.width, &activations)
        }
    }

    /// Shares of the outputs: a prompt's are worth sharing out finely, and a token's where each is long enough to stream. A
    /// few tokens' are not: their kernels begin every share by laying out the activations.
    private var shareCount: Int {
        let (threads, most) = (compute.pool.threadCount, 4)
        if unit == .tiles || x.count >= 32 { return threads * most }
        if x.count > 1 { return threads }
        return threads * max(1, min(factors.0.weights.bytes(rows: factors.0.rows) / threads / 262_144, most))
    }

    func run(_ part: Int) {
        while let share = scratch.shares.next(of: shareCount) { run(share, part) }
    }

    private func run(_ share: Int, _ part: Int) {
        if case .roundedGate(let function, let hidden) = finish { return multiplyGated(function, hidden, share, part) }
        let outputs = multiply(factors.0, share, part)
        if let second = factors.1 { multiply(second, share, part) }
        if let third = factors.2 { multiply(third, share, part) }
        let (y, kernels) = (factors.0.y, compute.kernels.table)
        switch finish {
        case .nothing, .roundedGate: break
        case .activation(let function):
            for t in 0..<y.count { kernels.pointee.activate(function, y[t] + outputs.lowerBound, outputs.count) }
        case .gate(let function): gate(function, outputs, limit: nil, stretch: 1)
        case .clampedGate(let function, let limit, let stretch):
            gate(function, outputs, limit: limit, stretch: stretch)
        }
    }

    private func multiplyGated(_ function: tk_activation, _ hidden: RoundedRows, _ share: Int, _ part: Int) {
        guard case .packed(let gate, _, _) = factors.0.weights, case .packed(let up, _, _)? = factors.1?.weights
        else { return }
        // Whole tiles of the next product's inputs.
        let outputs = ThreadPool.range(
            of: share, in: shareCount, count: factors.0.rows, grain: 2 * TK_PANEL_ROWS)
        if outputs.isEmpty { return }
        var (first, second) = (gate, up)
        compute.kernels.table.pointee.multiply_gated(
            &first, &second, outputs.lowerBound / TK_PANEL_ROWS,
            (outputs.upperBound + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS, rounded.base, rounded.count, function,
            hidden.base, scratch.tiles(part))
    }

    private func gate(_ function: tk_activation, _ outputs: Range<Int>, limit: Float?, stretch: Float) {
        guard let factor = factors.1?.y else { return }
        let (y, kernels) = (factors.0.y, compute.kernels.table)
        for t in 0..<y.count {
            let (gate, factor) = (y[t] + outputs.lowerBound, factor[t] + outputs.lowerBound)
            if let limit { kernels.pointee.clamp(gate, factor, limit, outputs.count) }
            if stretch != 1 { kernels.pointee.scale(gate, stretch, outputs.count) }
            kernels.pointee.activate_gated(function, gate, factor, outputs.count)
            if stretch != 1 { kernels.pointee.scale(gate, 1 / stretch, outputs.count) }
        }
    }

    /// - Returns: the outputs of this share: the same for matrices of one number of rows.
    @discardableResult
    private func multiply(_ factor: Factor, _ share: Int, _ part: Int) -> Range<Int> {
        let y = factor.y
        // Whole panels, pairs of them, or what the library takes at a time, so that these begin at the same rows on any number
        // of threads. Beside the library's matrices there may be packed ones: no panel is two shares'.
        let grain =
            switch unit {
            case .vectors: TK_PANEL_ROWS
            case .tiles: 2 * TK_PANEL_ROWS
            case .library: MatMulScratch.panelRows(inputs: x.width).leastCommonMultiple(with: TK_PANEL_ROWS)
            }
        let outputs = ThreadPool.range(of: share, in: shareCount, count: factor.rows, grain: grain)
        if outputs.isEmpty { return outputs }
        switch factor.weights {
        case .packed(let weights, let isQuantized, let suitsTiles):
            multiply(weights, isQuantized, suitsTiles, outputs, into: y, part)
        case .stored(let base, let type, let rowBytes):
            let first = base + outputs.lowerBound * rowBytes
            if unit == .library {
                multiplyByLibrary(factor, type, first, rowBytes, outputs, part)
            } else {
                compute.kernels.table.pointee.product_floats(
                    compute.kernels.table, type, first, rowBytes, outputs.count, x.width, x.base, x.count,
                    y.base + outputs.lowerBound, y.width, scratch.panel(part), MatMulScratch.panelRows(inputs: x.width))
            }
        }
        if let bias = factor.bias {
            for t in 0..<y.count {
                compute.kernels.table.pointee.add(y[t] + outputs.lowerBound, bias + outputs.lowerBound, outputs.count)
            }
        }
        return outputs
    }

    private func multiply(
        _ weights: tk_packed, _ isQuantized: Bool, _ suitsTiles: Bool, _ outputs: Range<Int>, into y: Rows, _ part: Int
    ) {
        let first = outputs.lowerBound / TK_PANEL_ROWS
        let end = (outputs.upperBound + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS
        let kernels = compute.kernels.table
        var weights = weights
        if unit == .tiles && suitsTiles {
            kernels.pointee.multiply_rounded(
                &weights, first, end, rounded.base, rounded.count, y.base, y.width, scratch.tiles(part))
        } else if !isQuantized {
            kernels.pointee.multiply_floats(&weights, first, end, x.base, x.count, y.base, y.width)
        } else {
            var activations = scratch.activations(isCoarse: isCoarse)
            kernels.pointee.multiply_packed(&weights, first, end, &activations, x.count, y.base, y.width)
        }
    }

    private func multiplyByLibrary(
        _ factor: Factor, _ type: tk_type, _ base: UnsafePointer<UInt8>, _ rowBytes: Int, _ outputs: Range<Int>,
        _ part: Int
    ) {
        let (k, tile, y) = (x.width, BLAS.tileRows, factor.y)
        let panelRows = MatMulScratch.panelRows(inputs: k)
        let (panel, inputs, results) = (scratch.panel(part), scratch.tileInputs(part), scratch.tileOutputs(part))
        if compute.recording != nil { tk_record_kernel_begin(TK_SPAN_MATMUL, type, factor.rows, k) }
        for j in stride(from: outputs.lowerBound, to: outputs.upperBound, by: panelRows) {
            let n = min(panelRows, outputs.upperBound - j)
            tk_expand(type, base + (j - outputs.lowerBound) * rowBytes, n * k, panel)
            for t in stride(from: 0, to: x.count, by: tile) {
                let rows = min(tile, x.count - t)
                inputs.update(from: x[t], count: rows * k)
                BLAS.multiplyTile(inputs, panel, outputs: n, inputs: k, into: results)
                for row in 0..<rows { (y[t + row] + j).update(from: results + row * n, count: n) }
            }
        }
        if compute.recording != nil {
            let (share, numbers) = (Double(outputs.count) / Double(factor.rows), Double(x.count * outputs.count))
            tk_record_kernel_end(
                share, Double(outputs.count * rowBytes) + 4 * (numbers + share * Double(x.count * k)),
                2 * numbers * Double(k))
        }
    }
}
