import CTinyKernels
import Testing
import TinyTestSupport

@testable import TinyTensor

/// Rows of activations, quantized by an instruction set.
private final class Activations {
    private let high: UnsafeMutablePointer<Int8>
    private let low: UnsafeMutablePointer<Int8>
    private let scaleMemory: AlignedFloats
    private let sumMemory: UnsafeMutablePointer<Int32>
    let columns: Int
    let count: Int
    let isCoarse: Bool

    /// - Parameter shift: bytes past the alignment that codes and values begin at.
    init(_ values: [Float], columns: Int, _ set: InstructionSet, shift: Int = 0, isCoarse: Bool = false) {
        self.columns = columns
        self.isCoarse = isCoarse
        count = values.count / columns
        memory = .allocate(capacity: 2 * values.count + 128)
        high = memory + shift
        low = memory + shift + values.count + 3
        scaleMemory = AlignedFloats([Float](repeating: .nan, count: values.count / 32))
        sumMemory = .allocate(capacity: values.count / TK_GROUP)
        let source = AlignedFloats(values, offset: shift & ~3)
        var rows = rows
        tk_quantize_rows(set.kernels.table, source.base, 0, count, columns, &rows)
    }

    private let memory: UnsafeMutablePointer<Int8>

    deinit {
        memory.deallocate()
        sumMemory.deallocate()
    }

    var rows: tk_quantized {
        tk_quantized(high: high, low: low, scales: scaleMemory.base, sums: sumMemory, is_coarse: isCoarse)
    }
    var scales: [Float] { scaleMemory.values }
    var codes: [Int] { (0..<count * columns).map { Int(high[$0]) * 128 + Int(low[$0]) } }
    var sums: [Int] { (0..<count * columns / TK_GROUP).map { Int(sumMemory[$0]) } }
    var halves: [(high: Int8, low: Int8)] { (0..<count * columns).map { (high[$0], low[$0]) } }
}

/// Packed weights by quantized activations, on every instruction set and for every element type.
@Suite struct PackedKernelTests {
    private static let quantized = ElementType.allCases.filter(\.isQuantized)
    private static let largest = Int(TK_LARGEST_CODE)

    private func product(
        _ set: InstructionSet, _ weight: PackedMatrix, _ x: Activations, panels: Range<Int>? = nil,
        untouched: Float = .nan
    ) -> [Float] {
        var (packed, rows) = (weight.packed, x.rows)
        let y = AlignedFloats([Float](repeating: untouched, count: x.count * packed.rows))
        let panels = panels ?? 0..<weight.panels
        set.table.multiply_packed(&packed, panels.lowerBound, panels.upperBound, &rows, x.count, y.base, packed.rows)
        return y.values
    }

    /// One input at a time shows every weight by itself: each code, scale and offset is where it belongs.
    @Test(arguments: quantized, InstructionSet.all) func everyWeightStandsInItsPlace(
        _ type: ElementType, _ set: InstructionSet
    ) throws {
        // Some types have blocks that do not fill 256 inputs.
        for columns in [256, 288] where columns % type.blockElements == 0 {
            try checkEveryWeight(type, set, rows: 24, columns: columns)  // a whole panel, and a part of one
        }
    }

    private func checkEveryWeight(_ type: ElementType, _ set: InstructionSet, rows: Int, columns: Int) throws {
        let matrix = try MatMulTests.matrix(type, rows: rows, columns: columns)
        let packed = PackedMatrix(matrix, pool: ThreadPool(threadCount: 1))
        let weights = matrix.floats()
        for first in stride(from: 0, to: columns, by: 8) {
            // The largest code makes the scale a power of two, so the activation is exact; a small one, as the largest
            // weights of MXFP4 are near the end of the range.
            let inputs = (first..<first + 8)
            let x = inputs.flatMap { input in (0..<columns).map { $0 == input ? Float(Self.largest) * 0x1p-30 : 0 } }
            let y = product(set, packed, Activations(x, columns: columns, set))
            let expected = inputs.flatMap { input in
                (0..<rows).map { Double(weights[$0 * columns + input]) * Double(Self.largest) * 0x1p-30 }
            }
            // scale · code + offset, with the offset added after the product was rounded or before.
            let size = weights.reduce(0) { max($0, abs($1)) }
            expectClose(
                y, expected, within: { gamma(6) * (abs(expected[$0]) + Double(size) * Double(Self.largest) * 0x1p-30) },
                "\(type.rawValue), \(set.kernels.name), inputs from \(first) on")
        }
    }

    /// Bits that a weight takes: what it takes in the file, or hardly more.
    @Test(
        arguments: [
            (.q8_0, 8.5), (.q4_0, 4.5), (.q4_1, 5), (.q5_0, 5.5), (.q5_1, 6), (.q2K, 2.625), (.q3K, 3.5625),
            (.q4K, 4.625),
            (.q5K, 5.625), (.q6K, 6.5625), (.iq4NL, 4.5), (.iq4XS, 4.3125), (.mxfp4, 4.25),
        ] as [(ElementType, Double)]) func sizes(_ type: ElementType, _ bits: Double)
    {
        let (rows, columns) = (64, 512)
        let bytes = Compute.preparedBytes(type, rows: rows, columns: columns, precision: .fast)
        #expect(Double(8 * bytes) == bits * Double(rows * columns), "\(type.rawValue)")
    }

    /// Any number of rows, in any company, and any share of the panels gives the same bits, coarse or not.
    @Test(arguments: quantized, InstructionSet.all) func companyDoesNotMatter(
        _ type: ElementType, _ set: InstructionSet
    ) throws {
        // More panels and rows than any kernel takes together, and the second with blocks that do not fill 256 inputs.
        for columns in [512, 288] where columns % type.blockElements == 0 {
            for isCoarse in [false, true] { try checkCompany(type, set, columns, isCoarse: isCoarse) }
        }
    }

    private func checkCompany(_ type: ElementType, _ set: InstructionSet, _ columns: Int, isCoarse: Bool) throws {
        let (rows, most) = (344, 35)
        let packed = PackedMatrix(
            try MatMulTests.matrix(type, rows: rows, columns: columns), pool: ThreadPool(threadCount: 2))
        let x = Self.uneven(most * columns, seed: 21)
        func activations(_ count: Int, shift: Int = 0) -> Activations {
            Activations(Array(x[..<(count * columns)]), columns: columns, set, shift: shift, isCoarse: isCoarse)
        }
        let name = "\(type.rawValue), \(set.kernels.name), \(columns) columns, \(isCoarse ? "coarse" : "fine")"
        let all = product(set, packed, activations(most))
        #expect(all.allSatisfy { $0.isFinite })
        for count in Array(1...17) + [most] {
            expectSameBits(
                product(set, packed, activations(count, shift: count % 5)), Array(all[..<(count * rows)]),
                "\(name), \(count) rows")
        }
        // Panels from the middle, and four of which the last has half of its rows.
        for panels in [1..<3, 18..<22] {
            let part = product(set, packed, activations(most), panels: panels, untouched: 7)
            let inside = panels.lowerBound * 16..<panels.upperBound * 16
            for (i, value) in part.enumerated()
            where value.bitPattern != (inside.contains(i % rows) ? all[i] : 7).bitPattern {
                Issue.record("\(name), panels \(panels): element \(i) is \(value)")
                return
            }
        }
    }

    /// Every fifth block is a hundred times as large as others, and has its lower halves where activations are coarse.
    private static func uneven(_ count: Int, seed: UInt64) -> [Float] {
        var random = SplitMix64(seed: seed)
        return random.floats(count).enumerated().map { $0.element * ($0.offset / 32 % 5 == 2 ? 1 : 0.01) }
    }

    /// The codes decide, and not that they are called coarse: with the largest codes there are, with blocks that have lower
    /// halves in some rows only, and with none.
    @Test(arguments: quantized, InstructionSet.all) func coarseCodesAreMultipliedAsTheyAre(
        _ type: ElementType, _ set: InstructionSet
    ) throws {
        let (rows, columns) = (40, 512)
        let packed = PackedMatrix(
            try MatMulTests.matrix(type, rows: rows, columns: columns), pool: ThreadPool(threadCount: 1))
        let extremes = (0..<13 * columns).map { $0 / columns % 2 == 0 ? 1 : $0 % 3 == 0 ? -1 : 1 as Float }
        for values in [extremes, Self.uneven(13 * columns, seed: 23), [Float](repeating: 0, count: 13 * columns)] {
            let x = Activations(values, columns: columns, set, isCoarse: true)
            var (fine, weight) = (x.rows, packed.packed)
            fine.is_coarse = false
            let y = AlignedFloats([Float](repeating: .nan, count: x.count * rows))
            set.table.multiply_packed(&weight, 0, packed.panels, &fine, x.count, y.base, rows)
            expectSameBits(product(set, packed, x), y.values, "\(type.rawValue), \(set.kernels.name)")
        }
    }

    /// Tiles change how integers are multiplied and nothing else: the same bits as without, for any number of rows, for
    /// columns that fill no tile or more than are packed at a time, and for a share of the panels.
    @Test(arguments: quantized) func tilesGiveTheSameBits(_ type: ElementType) throws {
        guard let tiles = InstructionSet.all.first(where: { $0.kernels.name == "amx" }) else { return }
        let vectors = try #require(InstructionSet.all.first { $0.kernels.name == "avx512vnni" })
        var random = SplitMix64(seed: 22)
        for columns in [256, 288, 2304, 4352] where columns % type.blockElements == 0 {
            let packed = PackedMatrix(
                try MatMulTests.matrix(type, rows: 40, columns: columns), pool: ThreadPool(threadCount: 1))
            let x = random.floats(17 * columns)
            for count in 1...17 {
                let rows = Activations(Array(x[..<(count * columns)]), columns: columns, vectors, shift: count % 5)
                for panels in [0..<3, 1..<3, 2..<3, 1..<1] {
                    expectSameBits(
                        product(tiles, packed, rows, panels: panels, untouched: 7),
                        product(vectors, packed, rows, panels: panels, untouched: 7),
                        "\(type.rawValue), \(columns) columns, \(count) rows, panels \(panels)")
                }
            }
        }
    }

    /// Codes and sums are whole numbers: equal on every instruction set, not close.
    @Test(arguments: InstructionSet.all, [1, 0x1p-80, 0x1p100, 0x1p-130] as [Float]) func quantize(
        _ set: InstructionSet, _ size: Float
    ) {
        var random = SplitMix64(seed: 8)
        for (shift, columns) in [32, 64, 96, 160, 576].enumerated() {
            let values = random.floats(3 * columns, scale: size)
            let x = Activations(values, columns: columns, set, shift: 4 * shift)
            let plain = Activations(values, columns: columns, .plain)
            #expect(x.codes == plain.codes && x.scales == plain.scales && x.sums == plain.sums, "\(columns) columns")
            #expect(x.halves.allSatisfy { (-127...127).contains(Int($0.high)) && (-64...63).contains(Int($0.low)) })
            for b in 0..<values.count / 32 {
                let block = values[32 * b..<32 * b + 32]
                let largest = block.reduce(0) { max($0, abs($1)) }
                #expect(x.scales[b] == (largest <= 0x1p-100 ? 0 : largest / Float(Self.largest)))
                for g in 0..<2 {
                    let range = 32 * b + 16 * g..<32 * b + 16 * (g + 1)
                    #expect(x.sums[2 * b + g] == x.codes[range].reduce(0, +))
                }
            }
            // Half a step, and the roundings of the scale, its inverse and the product.
            for (i, value) in values.enumerated() where x.scales[i / 32] > 0 {
                let error = abs(Double(x.codes[i]) * Double(x.scales[i / 32]) - Double(value))
                #expect(error <= Double(x.scales[i / 32]) * (0.5 + Double(Self.largest) * gamma(5)), "\(i)")
            }
        }
    }

    /// Lower halves are left where the scale is more than twice the geometric mean, as bits have it, and nowhere else; what is
    /// left of the others is within half a step of 8 bits.
    @Test(arguments: InstructionSet.all, [1, 0x1p-80, 0x1p100] as [Float]) func coarse(
        _ set: InstructionSet, _ size: Float
    ) {
        for columns in [32, 64, 576] {
            let values = Self.uneven(3 * columns, seed: 24).map { size * $0 }
            let fine = Activations(values, columns: columns, set)
            let x = Activations(values, columns: columns, set, isCoarse: true)
            #expect(x.scales == fine.scales)
            let blocks = columns / 32
            for b in 0..<3 * blocks {
                let row = fine.scales[b / blocks * blocks..<(b / blocks + 1) * blocks].map { Int64($0.bitPattern) }
                let isLarge = Int64(x.scales[b].bitPattern) > row.reduce(0, +) / Int64(blocks) + 1 << 23
                #expect(isLarge == (columns > 32 && b % 5 == 2), "\(columns) columns, block \(b)")
                for i in 32 * b..<32 * b + 32 {
                    let expected = isLarge ? fine.codes[i] : 128 * Int(fine.halves[i].high)
                    #expect(x.codes[i] == expected && abs(x.codes[i] - fine.codes[i]) <= 64, "\(columns) columns, \(i)")
                }
                for g in 2 * b..<2 * b + 2 { #expect(x.sums[g] == x.codes[16 * g..<16 * g + 16].reduce(0, +)) }
            }
        }
    }

    /// A row of zeros and blocks of zeros are what they were, and do not make the others large.
    @Test(arguments: InstructionSet.all) func coarseZeros(_ set: InstructionSet) {
        var values = [Float](repeating: 0, count: 3 * 256)
        for i in 32..<64 { values[i] = Float(i) }
        for i in 256..<512 { values[i] = 1 }
        let x = Activations(values, columns: 256, set, isCoarse: true)
        #expect(x.halves.allSatisfy { $0.low == 0 })
        #expect(x.codes[256..<512].allSatisfy { $0 == Self.largest })
        #expect(x.codes[512...].allSatisfy { $0 == 0 } && x.sums[32...].allSatisfy { $0 == 0 })
    }

    /// A NaN or an infinity that went in must not come out as a number that looks right.
    @Test(arguments: InstructionSet.all, [Float.nan, -.nan, .infinity, -.infinity]) func notNumbersComeThrough(
        _ set: InstructionSet, _ bad: Float
    ) throws {
        for type in [ElementType.q8_0, .q4K] {
            let packed = PackedMatrix(
                try MatMulTests.matrix(type, rows: 16, columns: 256), pool: ThreadPool(threadCount: 1))
            for isCoarse in [false, true] { notNumbersComeThrough(set, bad, packed, isCoarse: isCoarse) }
        }
    }

    private func notNumbersComeThrough(_ set: InstructionSet, _ bad: Float, _ packed: PackedMatrix, isCoarse: Bool) {
        for place in [0, 15, 16, 31, 32, 255] {
            var values = [Float](repeating: 1, count: 256)
            values[place] = bad
            let rows = [[Float]](repeating: values, count: 13).flatMap { $0 }
            let y = product(set, packed, Activations(rows, columns: 256, set, isCoarse: isCoarse))
            #expect(y.allSatisfy { !$0.isFinite }, "\(set.kernels.name): \(bad) at \(place) gave \(y)")
        }
    }

    /// Halves go to 16 bits and back without loss: what packing relies on.
    @Test func halvesAreExact() {
        for bits in UInt16.min ... .max {
            let value = Float(Float16(bitPattern: bits))
            if value.isNaN { continue }
            #expect(tk_to_half(value) == bits)
        }
    }
}
