import TinyTensor

/// A projection with an optional bias.
///
///     y[t] = W · x[t] + b
package struct Linear: Sendable {
    /// `[F, D]`
    let weight: Weights
    /// `[F]`
    let bias: [Float]?

    package var outputs: Int { weight.rows }

    init(weight: Weights, bias: [Float]?) {
        precondition(
            bias == nil || bias?.count == weight.rows, "a bias must have as many elements as the matrix has rows")
        self.weight = weight
        self.bias = bias
    }

    init(
        _ slot: (Part) -> Slot, rows: Int, columns: Int, bias: Bool, from weights: some WeightProvider
    ) throws {
        self.init(
            weight: try weights.weights(slot(.weight), rows: rows, columns: columns),
            bias: bias ? try weights.vector(slot(.bias), count: rows) : nil)
    }

    /// - Parameters:
    ///   - x: `[T, D]`
    ///   - y: `[T, F]`, overwritten.
    func callAsFunction(_ x: Rows, into y: Rows, _ context: ForwardContext) {
        context.multiply(x, by: product(into: y))
    }

    /// For products with several projections of the same activations.
    func product(into y: Rows) -> Product { Product(weight, bias: bias, into: y) }
}
