import CTinyKernels

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

    package func copy(from other: Rows) {
        precondition(other.count == count && other.width == width, "rows of different shapes")
        base.update(from: other.base, count: count * width)
    }
}
