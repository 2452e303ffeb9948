import CTinyKernels

// What happens to rows between products, as the layers call it. The formulas stand beside the kernels.

extension Rows {
    /// Adds a row to every row.
    package func add(_ bias: [Float]) {
        precondition(bias.count == width, "a bias of \(bias.count) for rows of \(width)")
        for t in 0..<count { tk_add(self[t], bias, width) }
    }

    /// Adds the rows of `other`.
    package func add(_ other: Rows) {
        precondition(other.count == count && other.width == width, "rows of different shapes")
        tk_add(base, other.base, count * width)
    }

    package func copy(from other: Rows) {
        precondition(other.count == count && other.width == width, "rows of different shapes")
        base.update(from: other.base, count: count * width)
    }

    /// Multiplies every element.
    package func scale(by factor: Float) {
        tk_scale(base, factor, count * width)
    }
}
