import CTinyKernels
import Testing
import TinyTensor
import TinyTestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What stands between the products, against its formula in doubles.
@Suite struct ElementwiseTests {
    private static let lengths = [1, 2, 3, 7, 16, 64, 100, 576]

    @Test(arguments: InstructionSet.all, lengths) func rmsNorm(_ set: InstructionSet, _ n: Int) {
        var random = SplitMix64(seed: UInt64(n))
        for (scale, epsilon) in [(1, 1e-5), (0x1p-60, 1e-6), (0x1p60, 1e-5), (1e-3, 0)] as [(Float, Float)] {
            let (x, weight) = (random.floats(n, scale: scale), random.floats(n))
            var y = [Float](repeating: .nan, count: n)
            set.table.rms_norm(&y, x, weight, epsilon, n)
            let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(n)
            let expected = (0..<n).map { Double(x[$0]) / (mean + Double(epsilon)).squareRoot() * Double(weight[$0]) }
            // The factor is rounded, and two products; numbers may fall below the normal ones.
            expectClose(y, expected, within: { gamma(4) * abs(expected[$0]) + 0x1p-140 }, "n \(n), scale \(scale)")
        }
    }

    @Test(arguments: InstructionSet.all, lengths) func layerNorm(_ set: InstructionSet, _ n: Int) {
        var random = SplitMix64(seed: UInt64(n) + 50)
        for shift in [0, 10, -1000] as [Float] {
            let x = random.floats(n).map { $0 + shift }
            let (weight, bias) = (random.floats(n), random.floats(n))
            let mean = x.reduce(0.0) { $0 + Double($1) } / Double(n)
            let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(n)
            let factor = 1 / (variance + 1e-5).squareRoot()
            for withBias in [true, false] {
                var y = [Float](repeating: .nan, count: n)
                set.table.layer_norm(&y, x, weight, withBias ? bias : nil, 1e-5, n)
                let expected = (0..<n).map {
                    (Double(x[$0]) - mean) * factor * Double(weight[$0]) + (withBias ? Double(bias[$0]) : 0)
                }
                // The mean is rounded before it is taken off, which the factor enlarges; then four roundings.
                expectClose(
                    y, expected,
                    within: {
                        gamma(2) * abs(mean) * factor * abs(Double(weight[$0])) + gamma(6)
                            * ((abs(Double(x[$0]) - mean)) * factor * abs(Double(weight[$0])) + abs(Double(bias[$0])))
                    }, "n \(n), shift \(shift)")
            }
        }
    }

    @Test(arguments: InstructionSet.all, lengths) func softmax(_ set: InstructionSet, _ n: Int) {
        var random = SplitMix64(seed: UInt64(n) + 100)
        for scale in [1, 20, 1e4] as [Float] {
            let x = random.floats(n, scale: scale).enumerated().map { $0 % 5 == 4 ? -Float.infinity : $1 }
            var y = x
            set.table.softmax(&y, n)
            let largest = Double(x.max() ?? 0)
            let powers = x.map { exp(Double($0) - largest) }
            let sum = powers.reduce(0, +)
            // The difference is rounded before e is raised to it; `expf` is off by one unit.
            expectClose(
                y, powers.map { $0 / sum },
                within: { powers[$0] / sum * gamma(8 + Int(min(1e5, abs(Double(x[$0]) - largest)))) + 0x1p-126 },
                "n \(n)")
            #expect(abs(y.reduce(0.0) { $0 + Double($1) } - 1) < gamma(16))
        }
    }

    @Test(arguments: InstructionSet.all) func softmaxOfLargeNumbersAndNaN(_ set: InstructionSet) {
        var equal = [Float](repeating: 3e38, count: 4)
        set.table.softmax(&equal, 4)
        #expect(equal == [0.25, 0.25, 0.25, 0.25])
        var bad: [Float] = [1, .nan, 2]
        set.table.softmax(&bad, 3)
        #expect(bad.allSatisfy { $0.isNaN }, "a NaN must not be hidden")
    }

    private static let activations: [(tk_activation, String, @Sendable (Double) -> Double)] = [
        (TK_SILU, "silu", { $0 / (1 + exp(-$0)) }),
        (TK_GELU, "gelu", { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) }),
        (
            TK_GELU_TANH, "gelu_tanh",
            { 0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
        ),
        (TK_GELU_QUICK, "gelu_quick", { $0 / (1 + exp(-1.702 * $0)) }),
        (TK_RELU, "relu", { max(0, $0) }),
    ]

    @Test(arguments: InstructionSet.all, 0..<5) func activation(_ set: InstructionSet, _ index: Int) {
        let (kind, name, formula) = Self.activations[index]
        var random = SplitMix64(seed: 13)
        let x = random.floats(200, scale: 12) + [0, -0.0, 1, -1, 50, -50, 200, -200, 1e20, -1e20, 1e-30]
        let gate = random.floats(x.count)
        var (y, gated) = (x, x)
        set.table.activate(kind, &y, x.count)
        set.table.activate_gated(kind, &gated, gate, x.count)
        // 1 + erf and 1 + tanh cancel where x is negative: the error is relative to x itself, not to the small result.
        let expected = x.map { formula(Double($0)) }
        expectClose(y, expected, within: { gamma(16) * abs(Double(x[$0])) * (x[$0] < -6 ? 1 : 2) }, name)
        expectSameBits(gated, zip(y, gate).map { $0 * $1 }, name)
        #expect(y.allSatisfy { $0.isFinite })
        var bad: [Float] = [.nan]
        set.table.activate(kind, &bad, 1)
        #expect(bad[0].isNaN)
    }

    @Test(arguments: InstructionSet.all, lengths) func cap(_ set: InstructionSet, _ n: Int) {
        var random = SplitMix64(seed: UInt64(n) + 300)
        for (cap, scale) in [(30, 1), (50, 200), (1, 1e-3), (2, 1e30)] as [(Float, Float)] {
            let x = random.floats(n, scale: scale)
            var y = x
            set.table.cap(&y, cap, n)
            // One is taken off a number near two: an error of the cap's, not of the result's.
            let bound = gamma(8) * Double(cap)
            expectClose(y, x.map { Double(cap) * tanh(Double($0) / Double(cap)) }, within: { _ in bound }, "cap \(cap)")
        }
        var bad: [Float] = [.nan]
        set.table.cap(&bad, 30, 1)
        #expect(bad[0].isNaN)
    }

    @Test(arguments: InstructionSet.all, lengths) func clamp(_ set: InstructionSet, _ n: Int) {
        var random = SplitMix64(seed: UInt64(n) + 400)
        let (x, y) = (random.floats(n, scale: 20), random.floats(n, scale: 20))
        var (gate, up) = (x, y)
        set.table.clamp(&gate, &up, 7, n)
        expectSameBits(gate, x.map { min($0, 7) })
        expectSameBits(up, y.map { min(max($0, -7), 7) + 1 })
        var (badGate, badUp): ([Float], [Float]) = ([.nan], [.nan])
        set.table.clamp(&badGate, &badUp, 7, 1)
        #expect(badGate[0].isNaN && badUp[0].isNaN)
    }

    @Test(arguments: InstructionSet.all, [1, 2, 3, 8, 32]) func rotation(_ set: InstructionSet, _ pairs: Int) {
        var random = SplitMix64(seed: UInt64(pairs) + 200)
        let head = random.floats(2 * pairs)
        let frequencies = (0..<pairs).map { Float(pow(10_000, -Double($0) / Double(pairs))) }
        let (first, count) = (3, 4)
        var cosines = [Float](repeating: .nan, count: count * pairs)
        var sines = cosines
        tk_rotary_angles(frequencies, pairs, first, count, 1.25, &cosines, &sines)
        for t in 0..<count {
            // The angle is rounded to a float, as in the models' own code.
            let angles = frequencies.map { Double(Float(first + t) * $0) }
            let range = t * pairs..<(t + 1) * pairs
            expectClose(Array(cosines[range]), angles.map { 1.25 * cos($0) }, within: { _ in gamma(3) })
            expectClose(Array(sines[range]), angles.map { 1.25 * sin($0) }, within: { _ in gamma(3) })
            for neighbours in [false, true] {
                var rotated = head
                let (c, s) = (Array(cosines[range]), Array(sines[range]))
                if neighbours {
                    set.table.rotate_neighbours(&rotated, c, s, pairs)
                } else {
                    set.table.rotate_halves(&rotated, c, s, pairs)
                }
                var expected = [Double](repeating: 0, count: 2 * pairs)
                for i in 0..<pairs {
                    let (a, b) = neighbours ? (2 * i, 2 * i + 1) : (i, pairs + i)
                    expected[a] = Double(head[a]) * Double(c[i]) - Double(head[b]) * Double(s[i])
                    expected[b] = Double(head[b]) * Double(c[i]) + Double(head[a]) * Double(s[i])
                }
                expectClose(
                    rotated, expected, within: { _ in gamma(3) * 2.5 }, "\(pairs) pairs, neighbours: \(neighbours)")
            }
        }
    }

    /// The exponential behind softmax and the activations, over its whole range.
    @Test(arguments: InstructionSet.all) func exponentialIsCloseEverywhere(_ set: InstructionSet) {
        for step in 0..<2000 {
            let x = Float(step) * -0.0435
            var pair: [Float] = [0, x]
            set.table.softmax(&pair, 2)
            let power = exp(Double(x))
            // Two units of the power, and the roundings of the sum, its inverse and the product.
            #expect(abs(Double(pair[1]) - power / (1 + power)) <= power / (1 + power) * gamma(8), "\(x)")
        }
        var far: [Float] = [0, -88, -1000, -.infinity]
        set.table.softmax(&far, 4)
        #expect(far == [1, 0, 0, 0])
    }

    @Test(arguments: InstructionSet.all) func addingAndScaling(_ set: InstructionSet) {
        var x: [Float] = [1, 2, 3, 4, 5]
        set.table.add(&x, [10, 20, 30, 40, 50], 4)
        #expect(x == [11, 22, 33, 44, 5])
        set.table.scale(&x, 2, 3)
        #expect(x == [22, 44, 66, 44, 5])
    }

    /// Halves are the nearest ones, what is too large becomes the largest, NaN stays, and nothing behind the end is touched.
    @Test(arguments: InstructionSet.all) func halves(_ set: InstructionSet) {
        var random = SplitMix64(seed: 77)
        let special: [Float] = [0, -0.0, 65504, 65519, 65520, -1e30, .infinity, -.infinity, 1e-8, 6e-8, 1e-5, .nan]
        for n in [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 100] {
            let values = (special + random.floats(100, scale: 1000)).shuffled(using: &random).prefix(n)
            var halves = [UInt16](repeating: 0xABCD, count: n + 20)
            set.table.narrow(Array(values), n, &halves)
            #expect(halves[n...].allSatisfy { $0 == 0xABCD })
            let floats = halves.map { Float(Float16(bitPattern: $0)) }
            for (i, value) in values.enumerated() {
                let expected = Float(Float16(max(-65504, min(65504, value))))
                #expect(value.isNaN ? floats[i].isNaN : floats[i] == expected, "\(value)")
            }
        }
    }
}
