import CTinyKernels
import Testing
import TinyTestSupport

@testable import TinyTensor

/// The product for prompts on units that multiply tiles of bf16, against sums of doubles over the expanded weights.
@Suite struct TileKernelTests {
    private static let sets = InstructionSet.all.filter { $0.table.multiply_rounded != nil }

    /// Rows `[count, columns]` by panels of a packed matrix.
    private func product(
        _ set: InstructionSet, _ weight: PackedMatrix, _ x: [Float], _ count: Int, panels: Range<Int>? = nil,
        untouched: Float = .nan
    ) -> [Float] {
        var packed = weight.packed
        let y = AlignedFloats([Float](repeating: untouched, count: count * packed.rows))
        let panels = panels ?? 0..<weight.panels
        let (rounded, tiles) = (rounded(set, x, count, packed.columns), Self.tiles())
        set.table.multiply_rounded(
            &packed, panels.lowerBound, panels.upperBound, rounded.numbers, count, y.base, packed.rows, tiles.numbers)
        return y.values
    }

    private func rounded(_ set: InstructionSet, _ x: [Float], _ count: Int, _ columns: Int) -> AlignedFloats {
        let rounded = AlignedFloats([Float](repeating: .nan, count: count.roundedUp(to: 16) * columns / 2))
        let middle = count / 2 / 16 * 16
        set.table.round_rows(x, 0, middle, count, columns, rounded.numbers)
        set.table.round_rows(x, middle, count, count, columns, rounded.numbers)
        return rounded
    }

    private static func tiles() -> AlignedFloats {
        AlignedFloats([Float](repeating: .nan, count: Int(TK_TILE_SCRATCH) / 2))
    }

    /// Both factors are off by 2⁻⁹ at most; sums are in single precision.
    @Test(arguments: ElementType.allCases.filter { $0.isQuantized || $0 == .bf16 }, sets) func everyType(
        _ type: ElementType, _ set: InstructionSet
    ) throws {
        for (rows, columns, count) in [(37, 512, 5), (16, 1280, 33), (65, 2304, 18), (1, 256, 1), (48, 256, 64)] {
            let matrix = try MatMulTests.matrix(type, rows: rows, columns: columns)
            let weights = matrix.floats()
            let packed = PackedMatrix(matrix, pool: ThreadPool(threadCount: 1))
            var random = SplitMix64(seed: UInt64(columns))
            // So small that no sum of the largest blocks of MXFP4 is infinite.
            let x = random.floats(count * columns, scale: 0x1p-40)
            let result = product(set, packed, x, count)
            let expected = InstructionSet.plain.multiply(x, count, weights, rows, columns)
            let sizes = InstructionSet.plain.multiply(x.map { abs($0) }, count, weights.map { abs($0) }, rows, columns)
            // An offset and a scaled code may cancel, which rounding once before does not make worse than this.
            expectClose(
                result, expected.map(Double.init),
                within: { (2 * 0x1p-9 + 0x1p-15 + gamma(columns)) * Double(sizes[$0]) + 1e-38 * Double(columns) },
                "\(type.rawValue), \(set.kernels.name), \(count) by \(rows) of \(columns)")
        }
    }

    /// Any number of rows and any share of the panels gives the same bits.
    @Test(arguments: sets) func companyDoesNotMatter(_ set: InstructionSet) throws {
        let (rows, columns) = (100, 2304)
        let packed = PackedMatrix(
            try MatMulTests.matrix(.q4K, rows: rows, columns: columns), pool: ThreadPool(threadCount: 2))
        var random = SplitMix64(seed: 22)
        let x = random.floats(65 * columns)
        let all = product(set, packed, x, 65)
        for count in [1, 2, 15, 16, 17, 31, 32, 33, 48, 64] {
            expectSameBits(
                product(set, packed, Array(x[..<(count * columns)]), count), Array(all[..<(count * rows)]),
                "\(count) rows")
        }
        for panels in [1..<4, 2..<7, 6..<7, 0..<1] {
            let part = product(set, packed, x, 65, panels: panels, untouched: 7)
            for (i, value) in part.enumerated() {
                let isInside = (panels.lowerBound * 16..<panels.upperBound * 16).contains(i % rows)
                if value.bitPattern != (isInside ? all[i] : 7).bitPattern {
                    Issue.record("panels \(panels): element \(i) is \(value)")
                    return
                }
            }
        }
    }

    @Test(arguments: sets, [Float.nan, .infinity]) func notNumbersComeThrough(_ set: InstructionSet, _ bad: Float)
        throws
    {
        let packed = PackedMatrix(
            try MatMulTests.matrix(.q8_0, rows: 16, columns: 256), pool: ThreadPool(threadCount: 1))
        for place in [0, 31, 32, 255] {
            var x = [Float](repeating: 1, count: 512)
            x[256 + place] = bad
            let y = product(set, packed, x, 2)
            #expect(y[..<16].allSatisfy { $0.isFinite } && y[16...].allSatisfy { !$0.isFinite })
        }
    }

    /// A gate's tiles are what two products, the activation and rounding make one after the other, in any shares.
    @Test(arguments: sets, [ElementType.q4_1, .q4K, .q6K, .bf16]) func gatesAreProductsInARow(
        _ set: InstructionSet, _ type: ElementType
    ) throws {
        for (rows, columns, count) in [(96, 512, 33), (2112, 256, 1), (64, 2048, 16), (160, 768, 70)] {
            let pool = ThreadPool(threadCount: 1)
            let gate = PackedMatrix(try MatMulTests.matrix(type, rows: rows, columns: columns), pool: pool)
            let up = PackedMatrix(try MatMulTests.matrix(type, rows: rows, columns: columns, seed: 5), pool: pool)
            var random = SplitMix64(seed: UInt64(count))
            let x = random.floats(count * columns, scale: 0x1p-4)
            let (activated, factors) = (AlignedFloats(product(set, gate, x, count)), product(set, up, x, count))
            set.table.activate_gated(TK_GELU_TANH, activated.base, factors, count * rows)
            let expected = rounded(set, activated.values, count, rows)

            let hidden = AlignedFloats([Float](repeating: .nan, count: count.roundedUp(to: 16) * rows / 2))
            let (inputs, tiles) = (rounded(set, x, count, columns), Self.tiles())
            var (first, second) = (gate.packed, up.packed)
            for panels in [0..<2, 2..<rows / 32 * 2] {
                set.table.multiply_gated(
                    &first, &second, panels.lowerBound, panels.upperBound, inputs.numbers, count, TK_GELU_TANH,
                    hidden.numbers, tiles.numbers)
            }
            // A next product sees the rows that there are, and shows each number.
            for token in 0..<count {
                for input in 0..<rows {
                    let place = Self.place(token: token, input: input, count: count, columns: rows)
                    if hidden.numbers[place] != expected.numbers[place] {
                        Issue.record("\(type), \(count) by \(rows): [\(token), \(input)] differs")
                        return
                    }
                }
            }
        }
    }

    /// Where `round_rows` leaves a number: tiles of a block of inputs for all rows, then those of the next one.
    private static func place(token: Int, input: Int, count: Int, columns: Int) -> Int {
        let block = input / Int(TK_TILE_BLOCK) * Int(TK_TILE_BLOCK)
        let width = min(Int(TK_TILE_BLOCK), columns - block)
        return count.roundedUp(to: 16) * block + token / 16 * 16 * width + (input - block) / 32 * 512
            + token % 16 * 32 + input % 32
    }
}

extension AlignedFloats {
    fileprivate var numbers: UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt16.self)
    }
}
