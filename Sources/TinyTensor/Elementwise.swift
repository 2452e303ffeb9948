import CTinyKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// What happens to rows between products, as the layers call it. The formulas stand beside the kernels.

extension Rows {
    /// Adds the rows of `other`.
    package func add(_ other: Rows, _ compute: Compute) {
        precondition(other.count == count && other.width == width, "rows of different shapes")
        compute.pool.forRanges(of: count) {
            let first = $0.lowerBound * width
            compute.kernels.table.pointee.add(base + first, other.base + first, $0.count * width)
        }
    }

    /// Multiplies every element.
    package func scale(by factor: Float, _ compute: Compute) {
        if factor == 1 { return }
        compute.pool.forRanges(of: count) {
            compute.kernels.table.pointee.scale(base + $0.lowerBound * width, factor, $0.count * width)
        }
    }

    package func copy(from other: Rows) {
        precondition(other.count == count && other.width == width, "rows of different shapes")
        base.update(from: other.base, count: count * width)
    }
}

/// σ(x) = 1 / (1 + e⁻ˣ)
package func logistic(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
