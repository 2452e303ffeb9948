import CTinyKernels
import Testing
import TinyLoader
import TinyTestSupport

@testable import TinyTensor

/// `Compute.multiply` as a whole: every element type on every instruction set, in both phases and precisions.
@Suite struct MatMulTests {
    private static let rows = 37  // no multiple of any tile
    private static let columns = 512
    private static let tokens = 5

    /// A matrix of blocks from the fixture of dequantization, at random, at an odd address.
    static func matrix(_ type: ElementType, rows: Int = rows, columns: Int = columns, seed: UInt64 = 1) throws
        -> Matrix
    {
        var random = SplitMix64(seed: seed)
        let count = rows * columns
        var bytes: [UInt8]
        if type == .f32 || type == .bf16 {
            // The fixture's BF16 values fill the whole range, and their sums would be infinite.
            let skipped = type == .f32 ? 0 : 2
            bytes = random.floats(count).flatMap { value in
                withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0.dropFirst(skipped)) }
            }
        } else {
            let file = try Safetensors(path: Fixtures.path("dequantize/dequantize.safetensors"))
            let source = try #require(file.index[type.rawValue + ".bytes"]).bytes
            let size = 256 / type.blockElements * type.blockBytes
            bytes = []
            for _ in 0..<count / 256 {
                let first = random.below(source.count / size) * size
                bytes += source[first..<first + size]
            }
        }
        let storage = Storage.allocate(byteCount: bytes.count + 1) {
            UnsafeMutableRawBufferPointer(rebasing: $0[1...]).copyBytes(from: bytes)
        }
        return Matrix(type: type, rows: rows, columns: columns, storage: storage, byteOffset: 1)
    }

    private func product(_ x: [Float], _ count: Int, _ weight: Matrix, _ compute: Compute, _ phase: Phase) -> [Float] {
        let input = AlignedFloats(x)
        let output = AlignedFloats([Float](repeating: .nan, count: count * weight.rows))
        let scratch = MatMulScratch(inputs: weight.columns, rows: count, threads: compute.pool.threadCount)
        compute.multiply(
            Rows(base: input.base, count: count, width: weight.columns),
            by: Product(compute.prepare(weight), into: Rows(base: output.base, count: count, width: weight.rows)),
            phase: phase, scratch: scratch)
        return output.values
    }

    /// Sums of doubles over the expanded weights; the expansion has tests of its own.
    private func reference(_ x: [Float], _ count: Int, _ weights: [Float], _ rows: Int) -> [Double] {
        InstructionSet.plain.multiply(x, count, weights, rows, x.count / max(1, count)).map(Double.init)
    }

    @Test(arguments: ElementType.allCases, InstructionSet.all) func exact(_ type: ElementType, _ set: InstructionSet)
        throws
    {
        let weight = try Self.matrix(type)
        let weights = weight.floats()
        try #require(weights.allSatisfy { $0.isFinite })
        var random = SplitMix64(seed: 9)
        let x = random.floats(Self.tokens * Self.columns)
        let expected = reference(x, Self.tokens, weights, Self.rows)
        let (xs, ws) = (rowNorms(x, Self.tokens), rowNorms(weights, Self.rows))
        for phase in [Phase.prompt, .decode] {
            let results = (1...3).map {
                product(x, Self.tokens, weight, Compute(precision: .exact, threads: $0, kernels: set.kernels), phase)
            }
            expectClose(
                results[0], expected, within: { gamma(Self.columns + 2) * xs[$0 / Self.rows] * ws[$0 % Self.rows] },
                "\(type.rawValue), \(set.kernels.name), \(phase)")
            for (i, result) in results.enumerated() {
                expectSameBits(result, results[0], "\(phase), \(i + 1) threads against one")
            }
            expectRowsAlone(x, results[0], weight, Compute(precision: .exact, threads: 1, kernels: set.kernels), phase)
        }
    }

    /// Every row by itself gives the bits that it gives among others.
    private func expectRowsAlone(
        _ x: [Float], _ together: [Float], _ weight: Matrix, _ compute: Compute, _ phase: Phase
    ) {
        let count = x.count / weight.columns
        for t in 0..<count {
            let alone = product(Array(x[t * weight.columns..<(t + 1) * weight.columns]), 1, weight, compute, phase)
            expectSameBits(
                alone, Array(together[t * weight.rows..<(t + 1) * weight.rows]),
                "\(weight.type.rawValue), \(compute.kernels.name), \(phase), row \(t) alone")
        }
    }

    /// In `fast` each activation is off by at most half a step, its block's largest over twice the largest code; the rest is rounding.
    @Test(arguments: ElementType.allCases, InstructionSet.all) func fast(_ type: ElementType, _ set: InstructionSet)
        throws
    {
        let weight = try Self.matrix(type)
        let weights = weight.floats()
        var random = SplitMix64(seed: 10)
        let x = random.floats(Self.tokens * Self.columns)
        let compute = Compute(precision: .fast, threads: 1, kernels: set.kernels)
        let result = product(x, Self.tokens, weight, compute, .decode)
        if !type.isQuantized {
            let (xs, ws) = (rowNorms(x, Self.tokens), rowNorms(weights, Self.rows))
            expectClose(
                result, reference(x, Self.tokens, weights, Self.rows),
                within: { gamma(Self.columns + 2) * xs[$0 / Self.rows] * ws[$0 % Self.rows] },
                "\(type.rawValue), \(set.kernels.name)")
            try expectSameEverywhere(x, result, weight, compute)
            return
        }
        // Σ_i |w_i| · half a step of i's block, by the plain kernel: weights' sizes times half steps.
        let halfSteps: [Float] = (0..<x.count).map { i in
            let block = i / 32 * 32
            return x[block..<block + 32].reduce(0) { max($0, abs($1)) } / Float(2 * TK_LARGEST_CODE)
        }
        let rounding = reference(halfSteps, Self.tokens, weights.map { abs($0) }, Self.rows)
        let size = reference(x.map { abs($0) + 0.01 }, Self.tokens, try unpackedSizes(weight), Self.rows)
        func expectRounded(_ result: [Float], halfSteps: Double, _ phase: Phase) {
            expectClose(
                result, reference(x, Self.tokens, weights, Self.rows),
                within: { halfSteps * rounding[$0] * (1 + 1e-3) + gamma(Self.columns / 16 + 32) * size[$0] },
                "\(type.rawValue), \(set.kernels.name), \(phase)")
        }
        expectRounded(result, halfSteps: 1, .decode)
        // Of 8 bits, behind one of 15.
        if Self.isCoarse(type, set.kernels) {
            expectRounded(product(x, Self.tokens, weight, compute, .prompt), halfSteps: 129, .prompt)
        }
        try expectSameEverywhere(x, result, weight, compute)
    }

    /// Whether a prompt's activations may have 8 bits.
    private static func isCoarse(_ type: ElementType, _ kernels: CPU.Kernels) -> Bool {
        ["avx2", "avx512vnni"].contains(kernels.name) && [.q4_0, .q4_1, .q2K, .q3K, .q4K].contains(type)
    }

    /// On any number of threads, with any number of rows, and for prompts, where these have no kernels of their own.
    private func expectSameEverywhere(_ x: [Float], _ result: [Float], _ weight: Matrix, _ compute: Compute) throws {
        let name = "\(weight.type.rawValue), \(compute.kernels.name)"
        let prompt = product(x, Self.tokens, weight, compute, .prompt)
        let hasPromptKernels = compute.usesTiles || compute.kernels.name == "plain" && !weight.type.isQuantized
        if Self.isCoarse(weight.type, compute.kernels) {
            #expect(prompt != result, "\(name): a prompt that is not rounded coarsely")
        } else if !hasPromptKernels {
            expectSameBits(prompt, result, "\(name), a prompt")
        }
        // Whoever keeps what was decoded relies on being told.
        if compute.kernels.hasVectors && prompt != result {
            #expect(compute.roundsPrompts(by: weight.type, columns: weight.columns), "\(name)")
        }
        for (phase, one) in [(Phase.prompt, prompt), (.decode, result)] {
            for threads in 2...3 {
                let other = product(
                    x, Self.tokens, weight,
                    Compute(precision: .fast, threads: threads, kernels: compute.kernels), phase)
                expectSameBits(other, one, "\(name), \(threads) threads, \(phase)")
            }
            expectRowsAlone(x, one, weight, compute, phase)
        }
    }

    /// Matrices that share a prompt's activations have them as the finest of the weights wants them.
    @Test(arguments: InstructionSet.all) func mixedTypesShareFineActivations(_ set: InstructionSet) throws {
        let compute = Compute(precision: .fast, threads: 1, kernels: set.kernels)
        let weights = try [ElementType.q4K, .q6K].map { try Self.matrix($0) }
        var random = SplitMix64(seed: 14)
        let x = random.floats(Self.tokens * Self.columns)
        let input = AlignedFloats(x)
        func rows(_ y: AlignedFloats) -> Rows { Rows(base: y.base, count: Self.tokens, width: Self.rows) }
        for order in [[0, 1], [1, 0]] {
            let y = order.map { _ in AlignedFloats([Float](repeating: .nan, count: Self.tokens * Self.rows)) }
            compute.multiply(
                Rows(base: input.base, count: Self.tokens, width: Self.columns),
                by: Product(compute.prepare(weights[order[0]]), into: rows(y[0])),
                Product(compute.prepare(weights[order[1]]), into: rows(y[1])),
                phase: .prompt, scratch: MatMulScratch(inputs: Self.columns, rows: Self.tokens, threads: 1))
            for (place, which) in order.enumerated() {
                let phase = compute.usesTiles ? Phase.prompt : .decode
                expectSameBits(
                    y[place].values, product(x, Self.tokens, weights[which], compute, phase),
                    "\(set.kernels.name), \(weights[which].type.rawValue) in place \(place)")
            }
        }
    }

    /// |scale · code| + |offset| of each weight: what the integer kernels' roundings are relative to.
    private func unpackedSizes(_ weight: Matrix) throws -> [Float] {
        let count = weight.rows * weight.columns
        var codes = [Int8](repeating: 0, count: count)
        var scales = [Float](repeating: 0, count: count / 16)
        var offsets = scales
        tk_unpack(weight.type.kernelType, weight.base, count, &codes, &scales, &offsets)
        return (0..<count).map { abs(scales[$0 / 16] * Float(codes[$0])) + abs(offsets[$0 / 16]) }
    }

    /// Megabytes of weights are multiplied in several shares a thread, which are nobody's in particular, and with them
    /// narrower ones of which some shares hold nothing.
    @Test(arguments: [ElementType.q4_0, .q4K], InstructionSet.all)
    func manyShares(_ type: ElementType, _ set: InstructionSet) throws {
        let (rows, narrow, columns) = (4001, 37, 512)
        let weights = try [Self.matrix(type, rows: rows), Self.matrix(type, rows: narrow, seed: 2)]
        var random = SplitMix64(seed: 12)
        let (x, bias) = (random.floats(columns), random.floats(rows))
        let input = AlignedFloats(x)
        func products(threads: Int) -> [Float] {
            let compute = Compute(precision: .fast, threads: threads, kernels: set.kernels)
            let (wide, narrowY) = (
                AlignedFloats([Float](repeating: .nan, count: rows)),
                AlignedFloats([Float](repeating: .nan, count: narrow))
            )
            compute.multiply(
                Rows(base: input.base, count: 1, width: columns),
                by: Product(
                    compute.prepare(weights[0]), bias: bias, into: Rows(base: wide.base, count: 1, width: rows)),
                Product(compute.prepare(weights[1]), into: Rows(base: narrowY.base, count: 1, width: narrow)),
                finish: .activation(TK_RELU), phase: .decode,
                scratch: MatMulScratch(inputs: columns, rows: 1, threads: threads))
            return wide.values + narrowY.values
        }
        let compute = Compute(precision: .fast, threads: 1, kernels: set.kernels)
        let expected =
            zip(product(x, 1, weights[0], compute, .decode), bias).map { max(0, $0 + $1) }
            + product(x, 1, weights[1], compute, .decode)
        for threads in 1...3 {
            expectSameBits(
                products(threads: threads), expected, "\(type.rawValue), \(set.kernels.name), \(threads) threads")
        }
    }

    /// Shares of a prompt end where panels of packed weights do, whatever the width: each output gets its bias once.
    @Test(arguments: InstructionSet.all, [576, 896, 2048, 4096]) func sharesEndWithPanels(
        _ set: InstructionSet, _ columns: Int
    ) throws {
        let (rows, type) = (96, ElementType.q8_0)
        let weight = try Self.matrix(type, rows: rows, columns: columns, seed: 4)
        var random = SplitMix64(seed: 13)
        let bias = random.floats(rows, scale: 100)
        for count in [5, 33] {
            let input = AlignedFloats(random.floats(count * columns))
            let one = Compute(precision: .fast, threads: 1, kernels: set.kernels)
            let expected = (0..<count).flatMap { t in
                zip(product(Array(input.values[t * columns..<(t + 1) * columns]), 1, weight, one, .prompt), bias)
                    .map { $0 + $1 }
            }
            for threads in 1...3 {
                let compute = Compute(precision: .fast, threads: threads, kernels: set.kernels)
                let y = AlignedFloats([Float](repeating: .nan, count: count * rows))
                compute.multiply(
                    Rows(base: input.base, count: count, width: columns),
                    by: Product(
                        compute.prepare(weight), bias: bias, into: Rows(base: y.base, count: count, width: rows)),
                    phase: .prompt, scratch: MatMulScratch(inputs: columns, rows: count, threads: threads))
                expectSameBits(y.values, expected, "\(set.kernels.name), \(count) by \(columns), \(threads) threads")
            }
        }
    }

    /// An activation that is no number makes its row's outputs none, in any company, and no other row's.
    @Test(arguments: InstructionSet.all, [ElementType.q8_0, .q4_0, .q4K, .iq4NL]) func noNumbers(
        _ set: InstructionSet, _ type: ElementType
    ) throws {
        let weight = try Self.matrix(type, rows: 17, columns: 256, seed: 5)
        let compute = Compute(precision: .fast, threads: 1, kernels: set.kernels)
        var random = SplitMix64(seed: 14)
        let x = random.floats(5 * 256)
        let good = product(x, 5, weight, compute, .decode)
        for bad in [Float.nan, .infinity, -.infinity] {
            var spoiled = x
            spoiled[256 + 40] = bad
            let together = product(spoiled, 5, weight, compute, .decode)
            let alone = product(Array(spoiled[256..<512]), 1, weight, compute, .decode)
            let name = "\(set.kernels.name), \(type.rawValue), \(bad)"
            #expect(alone.allSatisfy(\.isNaN) && together[17..<34].allSatisfy(\.isNaN), "\(name)")
            expectSameBits(Array(together[..<17] + together[34...]), Array(good[..<17] + good[34...]), name)
        }
    }

    /// More threads than rows leave some without work; one row, one token and odd numbers are not special.
    @Test(arguments: InstructionSet.all, [1, 2, 3, 4, 5, 8, 63, 65, 130]) func awkwardShapes(
        _ set: InstructionSet, _ rows: Int
    ) throws {
        for type in [ElementType.f32, .f16, .q8_0] {
            let weight = try Self.matrix(type, rows: rows, columns: 256, seed: 3)
            let weights = weight.floats()
            for count in [1, 2, 16, 17, 33] {
                var random = SplitMix64(seed: 11)
                let x = random.floats(count * 256)
                let one = product(
                    x, count, weight, Compute(precision: .exact, threads: 1, kernels: set.kernels), .prompt)
                let (xs, ws) = (rowNorms(x, count), rowNorms(weights, rows))
                expectClose(
                    one, reference(x, count, weights, rows), within: { gamma(258) * xs[$0 / rows] * ws[$0 % rows] },
                    "\(type.rawValue), \(set.kernels.name), \(count) by \(rows)")
                let many = product(
                    x, count, weight, Compute(precision: .exact, threads: 7, kernels: set.kernels), .prompt)
                expectSameBits(many, one, "\(type.rawValue), \(set.kernels.name), \(count) by \(rows) on 7 threads")
            }
        }
    }

    /// The widths of real models, where blocks of weights and of BLAS end at other places.
    @Test(arguments: InstructionSet.all, [576, 1536, 4096, 14_336]) func realWidths(
        _ set: InstructionSet, _ columns: Int
    ) throws {
        var random = SplitMix64(seed: UInt64(columns))
        let rows = 71
        let weights = random.floats(rows * columns)
        let storage = Storage.allocate(byteCount: weights.count * 2) { memory in
            for (i, value) in weights.enumerated() {
                memory.storeBytes(of: UInt16(value.bitPattern >> 16), toByteOffset: 2 * i, as: UInt16.self)
            }
        }
        let weight = Matrix(type: .bf16, rows: rows, columns: columns, storage: storage)
        let x = random.floats(18 * columns)
        let one = product(x, 18, weight, Compute(precision: .exact, threads: 1, kernels: set.kernels), .prompt)
        let (xs, ws) = (rowNorms(x, 18), rowNorms(weight.floats(), rows))
        expectClose(
            one, reference(x, 18, weight.floats(), rows), within: { gamma(columns + 2) * xs[$0 / rows] * ws[$0 % rows] }
        )
        for threads in [2, 3] {
            let other = product(
                x, 18, weight, Compute(precision: .exact, threads: threads, kernels: set.kernels), .prompt)
            expectSameBits(other, one, "\(set.kernels.name), \(columns) wide, \(threads) threads")
        }
        let alone = product(
            Array(x[..<columns]), 1, weight, Compute(precision: .exact, threads: 1, kernels: set.kernels), .prompt)
        expectSameBits(alone, Array(one[..<rows]), "\(set.kernels.name), \(columns) wide, the first row alone")
    }

    /// What one product leaves in the scratch memory does not reach the next.
    @Test(arguments: InstructionSet.all) func scratchIsNoMemory(_ set: InstructionSet) throws {
        let weight = try Self.matrix(.q8_0, rows: 20, columns: 256)
        var random = SplitMix64(seed: 12)
        let x = AlignedFloats(random.floats(3 * 256))
        for precision in Precision.allCases {
            let compute = Compute(precision: precision, threads: 2, kernels: set.kernels)
            let scratch = MatMulScratch(inputs: 512, rows: 20, threads: 2)
            let prepared = compute.prepare(weight)
            func run(_ input: UnsafeMutablePointer<Float>, _ count: Int) -> [Float] {
                let y = AlignedFloats([Float](repeating: .nan, count: count * 20))
                compute.multiply(
                    Rows(base: input, count: count, width: 256),
                    by: Product(prepared, into: Rows(base: y.base, count: count, width: 20)), phase: .prompt,
                    scratch: scratch)
                return y.values
            }
            let first = run(x.base, 3)
            let poison = AlignedFloats([Float](repeating: .nan, count: 20 * 256))
            #expect(run(poison.base, 20).allSatisfy { $0.isNaN })
            expectSameBits(run(x.base, 3), first, "\(set.kernels.name), \(precision)")
        }
    }
}
