import CTinyKernels

/// Rows of activations that are rounded already, as kernels that multiply in tiles take them: a view of a `RowBuffer`.
package struct RoundedRows {
    let base: UnsafeMutablePointer<UInt16>
    package let count: Int
    package let width: Int
}

extension RowBuffer {
    /// Rows in whole tiles, two numbers in the place of a float.
    package func rounded(_ count: Int, width: Int) -> RoundedRows {
        let floats = rows(count.roundedUp(to: MatMulScratch.tileRows) / 2, width: width)
        return RoundedRows(
            base: UnsafeMutableRawPointer(floats.base).assumingMemoryBound(to: UInt16.self), count: count, width: width)
    }
}

extension Compute {
    /// Whether what a gate makes of two products can go to a third without becoming floats in between.
    package func keepsRounded(_ gate: Weights, _ up: Weights, to next: Weights, phase: Phase) -> Bool {
        guard phase == .prompt, usesTiles,
            case .packed(let gate) = gate.form, case .packed(let up) = up.form, case .packed(let next) = next.form
        else { return false }
        return gate.suitsTiles && next.suitsTiles && gate.packed.type == up.packed.type
            && gate.packed.columns <= TK_TILE_BLOCK
    }
}
