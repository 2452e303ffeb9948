import CTinyKernels
package import TinyTensor

/// How the states of a text's tokens, `[T, D]`, become one vector `[D]`.
///
/// Reimers and Gurevych 2019, arXiv:1908.10084; the weighted mean from Muennighoff 2022, arXiv:2202.08904
public enum Pooling: String, CaseIterable, Sendable, Codable {
    /// The first token's state.
    case first
    /// The largest number at each place.
    case maximum
    /// `Σ x[t] / T`
    case mean
    /// `Σ x[t] / √T`
    case meanOfRoot
    /// `Σ t · x[t] / Σ t`, tokens counted from 1.
    case weightedMean
    /// The last token's state.
    case last
}

/// Takes in a text's states, in one part or several, and gives the pooled vector. Sums run over tokens in their order, so
/// neither company nor parts change a vector.
package struct PooledSum {
    private let pooling: Pooling
    /// Tokens in front that are left out.
    private let skipped: Int
    private var vector: [Float]
    /// Tokens taken in.
    private var count = 0
    /// What the sum is divided by.
    private var total: Float = 0

    /// - Parameter skipped: tokens in front, such as a prompt's, that are left out.
    package init(_ pooling: Pooling, width: Int, skipped: Int = 0) {
        (self.pooling, self.skipped) = (pooling, skipped)
        vector = Array(repeating: 0, count: width)
    }

    /// - Parameter rows: `[n, D]`, the next states.
    package mutating func add(_ rows: Rows, _ compute: Compute) {
        precondition(rows.width == vector.count, "states of \(rows.width) for a vector of \(vector.count)")
        defer { count += rows.count }
        if rows.count == 0 { return }
        switch pooling {
        case .first:
            // Behind a prompt that does not count; where nothing is behind it, the prompt's own.
            if count == 0 { take(rows[0]) }
            if (count..<count + rows.count).contains(skipped) { take(rows[skipped - count]) }
        case .last: take(rows[rows.count - 1])
        case .maximum:
            for t in max(0, skipped - count)..<max(rows.count, skipped - count) {
                if total == 0 { take(rows[t]) }
                for i in 0..<rows.width { vector[i] = max(vector[i], rows[t][i]) }
                total = 1
            }
        case .mean, .meanOfRoot, .weightedMean:
            let weights = (count..<count + rows.count).map { t -> Float in
                t < skipped ? 0 : pooling == .weightedMean ? Float(t + 1) : 1
            }
            compute.kernels.table.pointee.weigh(
                weights, weights.count, 1, TK_F32, rows.base, rows.width, rows.count, &vector, count > 0)
            total += weights.reduce(0, +)
        }
    }

    /// The vector; zeros where all tokens were left out.
    package var result: [Float] {
        switch pooling {
        case .first, .last, .maximum: vector
        case .mean, .weightedMean: vector.map { total > 0 ? $0 / total : 0 }
        case .meanOfRoot: vector.map { total > 0 ? $0 / total.squareRoot() : 0 }
        }
    }

    private mutating func take(_ row: UnsafePointer<Float>) {
        vector.withUnsafeMutableBufferPointer { $0.baseAddress?.update(from: row, count: $0.count) }
    }
}
