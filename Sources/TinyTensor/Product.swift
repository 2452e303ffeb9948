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
        let rounded = RoundedRows(base: scratch.roundedActivations, count: x.count, width: x.width)
        withFactors(first, second, third) { factors in
            let work = MatMul(
                x: x, rounded: rounded, factors: factors, finish: finish, unit: unit, phase: phase, compute: self,
                scratch: scratch)
            work.check()
            if work.needsRounding {
                pool.forRanges(of: x.count, grain: MatMulScratch.tileRows) { work.round($0) }
            }
            if unit == .library { _ = BLAS.coreType }
            run(work)
        }
    }

    /// Multiplies rows that a `roundedGate` made.
    package func multiply(_ x: RoundedRows, by product: Product, scratch: MatMulScratch) {
        let nowhere = Rows(base: product.y.base, count: 0, width: 0)  // tiles take no floats
        withFactors(product, nil, nil) { factors in
            let work = MatMul(
                x: nowhere, rounded: x, factors: factors, finish: .nothing, unit: .tiles, phase: .prompt,
                compute: self, scratch: scratch)
            work.check()
            run(work)
        }
    }

    private func run(_ work: borrowing MatMul) {
        work.scratch.shares.reset()
        pool.run(with: work) { context, part in context.assumingMemoryBound(to: MatMul.self).pointee.run(part) }
    }

    /// Products as threads take them, while their weights and biases are held here.
    private func withFactors(
        _ first: Product, _ second: Product?, _ third: Product?, _ body: (MatMul.Factors) -> Void
    ) {
        first.withFactor { first in
            guard let second else { return body((first, nil, nil)) }
            second.withFactor { second in
                guard let third else { return body((first, second, nil)) }
                third.withFactor { third in body((first, second, third)) }
            }
        }
    }
}

extension Product {
    fileprivate func withFactor(_ body: (MatMul.Factor) -> Void) {
        func take(_ bias: UnsafePointer<Float>?) {
            body(
                MatMul.Factor(
                    weights: weights.form.view, rows: weights.rows, columns: weights.columns, bias: bias, y: y))
        }
        withExtendedLifetime(weights) {
            guard let bias else { return take(nil) }
            bias.withUnsafeBufferPointer { take($0.baseAddress) }
        }
    }
}

extension CPU.Kernels {
    /// Whether the products are more than plain C.
    package var hasVectors: Bool { name != "plain" }
}

extension Compute {
    /// Whether prompts have kernels of their own, which work in tiles of rounded numbers.
    package var usesTiles: Bool { precision == .fast && kernels.table.pointee.multiply_rounded != nil }

    /// Whether attention over prompts has kernels of its own, which take keys and values packed.
    package var packsTokens: Bool { precision == .fast && kernels.table.pointee.attend_packed != nil }

    /// Inputs from which on coarse activations are worth their error: narrow models are read in no time.
    static let leastCoarseInputs = 512

    /// Whether a product with such weights rounds a prompt's activations to other bits than a new token's.
    package func roundsPrompts(by type: ElementType, columns: Int) -> Bool {
        guard precision == .fast else { return false }
        let isCoarse =
            kernels.table.pointee.prefers_coarse && columns >= Self.leastCoarseInputs
            && tk_packed_format(type.kernelType, 0, columns).is_narrow
        return usesTiles || isCoarse
    }
}
