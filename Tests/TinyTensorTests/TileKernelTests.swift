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
        let columns = packed.columns
        let rounded = AlignedFloats([Float](repeating: .nan, count: count.roundedUp(to: 16) * columns / 2))
        let tiles = AlignedFloats([Float](repeating: .nan, count: Int(16 * TK_TILE_BLOCK)))
        let numbers = UnsafeMutableRawPointer(rounded.base).assumingMemoryBound(to: UInt16.self)
        let middle = count / 2 / 16 * 16
        set.table.round_rows(x, 0, middle, count, columns, numbers)
        set.table.round_rows(x, middle, count, count, columns, numbers)
        let y = AlignedFloats([Float](repeating: untouched, count: count * packed.rows))
        let panels = panels ?? 0..<weight.panels
        set.table.multiply_rounded(
            &packed, panels.lowerBound, panels.upperBound, numbers, count, y.base, packed.rows,
            UnsafeMutableRawPointer(tiles.base).assumingMemoryBound(to: UInt16.self))
        return y.values
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
        let (rows, columns) = (100, 2048)
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
}
