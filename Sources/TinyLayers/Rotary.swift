import CTinyKernels
import TinyTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension RotarySpec {
    /// The angle that pair i turns by from one position to the next.
    ///
    ///     f[i] = θ^(−2i / width), bent by `scaling`
    ///
    /// - Parameter length: the length of the text so far, which dynamic scaling goes by.
    func frequency(_ i: Int, length: Int) -> Float {
        var base = base
        if case .dynamic(let factor, let original) = scaling, length > original {
            let stretch = factor * Double(length) / Double(original) - (factor - 1)
            base *= pow(stretch, Double(width) / Double(width - 2))
        }
        if case .dynamicSteps(let original) = scaling {
            let doublings = (log2(Double(length) / Double(original)) + 1).rounded(.up)
            base *= pow(max(1, pow(2, doublings) - 1), Double(width) / Double(width - 2))
        }
        let plain = pow(base, -2 * Double(i) / Double(width))
        switch scaling {
        case .none, .dynamic, .dynamicSteps: return Float(plain)
        case .linear(let factor): return Float(plain / factor)
        case .perFrequency(let divisors, _): return Float(plain / Double(divisors[i]))
        case .byLength(let short, let long, let original, _):
            return Float(plain / Double(length > original ? long[i] : short[i]))
        case .byWavelength(let factor, let lowFactor, let highFactor, let original):
            let waves = Double(original) * plain / (2 * .pi)  // in the original context
            let kept = min(1, max(0, (waves - lowFactor) / (highFactor - lowFactor)))
            return Float(plain * kept + plain / factor * (1 - kept))
        case .yarn(let factor, let fast, let slow, let original, let rounds, _):
            func dimension(rotations: Double) -> Double {
                Double(width) * log(Double(original) / (rotations * 2 * .pi)) / (2 * log(base))
            }
            var low = dimension(rotations: fast)
            var high = dimension(rotations: slow)
            if rounds { (low, high) = (low.rounded(.down), high.rounded(.up)) }
            (low, high) = (max(low, 0), min(high, Double(width - 1)))
            if low == high { high += 0.001 }
            let ramp = min(1, max(0, (Double(i) - low) / (high - low)))
            return Float(plain * (1 - ramp) + plain / factor * ramp)
        }
    }

    /// What cosines and sines are multiplied by.
    var magnitude: Float {
        switch scaling {
        case .yarn(_, _, _, _, _, let magnitude), .perFrequency(_, let magnitude), .byLength(_, _, _, let magnitude):
            Float(magnitude)
        default: 1
        }
    }

    /// The part of a text's length that frequencies depend on.
    fileprivate func relevantLength(_ length: Int, phase: Phase, before: Int) -> Int {
        switch scaling {
        case .dynamic(_, let original): max(length, original)
        case .byLength(_, _, let original, _): length > original ? original + 1 : 0
        // A prompt sets them; while it is continued they stay.
        case .dynamicSteps(let original): phase == .decode && before > 0 ? before : max(length, original)
        default: 0
        }
    }
}

/// Cosines and sines for a run of positions, computed once for all layers that turn alike.
package final class RotaryTable {
    let spec: RotarySpec
    private var frequencies: [Float]
    private var frequencyLength = -1
    private let angles: RowBuffer
    private let capacity: Int

    /// - Parameter capacity: the most positions at once.
    init(_ spec: RotarySpec, capacity: Int) {
        self.spec = spec
        self.capacity = capacity
        frequencies = Array(repeating: 0, count: spec.width / 2)
        angles = RowBuffer(capacity: capacity * spec.width)
    }

    private var pairs: Int { spec.width / 2 }

    /// Fills the table for positions `first..<first + count` of a text of `length` tokens, whose rows of the pass begin at
    /// `row`.
    ///
    /// An angle is rounded to single precision before its cosine is taken, as the reference does: at position 8,000 that
    /// moves it by up to 2·10⁻⁴, more than all other rounding.
    func prepare(first: Int, count: Int, length: Int, phase: Phase, fromRow row: Int = 0) {
        precondition(row + count <= capacity, "\(row) and \(count) positions in a table of \(capacity)")
        let relevantLength = spec.relevantLength(length, phase: phase, before: frequencyLength)
        if relevantLength != frequencyLength {
            for i in 0..<pairs { frequencies[i] = spec.frequency(i, length: relevantLength) }
            frequencyLength = relevantLength
        }
        tk_rotary_angles(
            frequencies, pairs, first, count, spec.magnitude, angles.base + row * pairs,
            angles.base + (capacity + row) * pairs)
    }

    /// Turns every head of some rows; row t stands at the t-th prepared position.
    ///
    /// - Parameter x: `[T, H · d]`
    func rotate(_ x: Rows, _ tokens: Range<Int>, headWidth: Int, _ kernels: CPU.Kernels) {
        let table = kernels.table.pointee
        let sines = angles.base + capacity * pairs
        for t in tokens {
            let (cosine, sine) = (angles.base + t * pairs, sines + t * pairs)
            for head in 0..<x.width / headWidth {
                switch spec.pairing {
                case .halves: table.rotate_halves(x[t] + head * headWidth, cosine, sine, pairs)
                case .neighbours: table.rotate_neighbours(x[t] + head * headWidth, cosine, sine, pairs)
                }
            }
        }
    }
}
