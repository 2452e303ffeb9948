import CTinyKernels
import Testing
import TinyTensor
import TinyTestSupport

/// Products of floats: plain C against a sum of doubles, every other instruction set against plain C.
@Suite struct FloatKernelTests {
    private static let most = 9

    /// What is multiplied: ordinary numbers, and those where an instruction set could differ in kind.
    enum Contents: String, CaseIterable, Sendable {
        case ordinary, zeros, denormals, huge, mixed

        func make(_ count: Int, _ random: inout SplitMix64) -> [Float] {
            switch self {
            case .ordinary: random.floats(count)
            case .zeros: [Float](repeating: 0, count: count)
            // With one factor below the normal numbers and the other around one, a flush to zero would show.
            case .denormals: random.floats(count, scale: 0x1p-127)
            case .huge: random.floats(count, scale: 0x1p61)  // 1000 products of 2^122 stay finite
            case .mixed: (0..<count).map { _ in random.unit() * (random.below(2) == 0 ? 0x1p-40 : 0x1p20) }
            }
        }
    }

    @Test(arguments: [0, 1, 2, 3, 7, 16, 33, 70]) func plainIsASumOfDoubles(_ k: Int) {
        var random = SplitMix64(seed: UInt64(k))
        let (a, b) = (random.floats(3 * k), random.floats(2 * k))
        let result = InstructionSet.plain.multiply(a, 3, b, 2, k)
        for i in 0..<3 {
            for j in 0..<2 {
                let sum = (0..<k).reduce(0.0) { $0 + Double(a[i * k + $1]) * Double(b[j * k + $1]) }
                #expect(result[2 * i + j] == Float(sum))
            }
        }
    }

    /// Nine rows by nine rows at every length, on aligned and misaligned memory.
    @Test(arguments: InstructionSet.all, Contents.allCases) func products(_ set: InstructionSet, _ contents: Contents) {
        var random = SplitMix64(seed: 1)
        let most = Self.most
        for k in awkwardLengths {
            let offset = k % 2 == 0 ? 0 : 4 * (1 + k % 15)
            let a = AlignedFloats(contents.make(most * k, &random), offset: offset)
            let b = AlignedFloats(
                contents == .denormals ? random.floats(most * k) : contents.make(most * k, &random), offset: offset)
            let norms = [a, b].map { rowNorms($0.values, most) }
            let actual = set.multiply(a.base, most, b.base, most, k)
            let expected = InstructionSet.plain.multiply(a.base, most, b.base, most, k)
            // Two more roundings: plain C's own, of its double sum, and the reduction across lanes never has more than k.
            expectClose(
                actual, expected.map(Double.init),
                within: { gamma(k + 2) * norms[0][$0 / most] * norms[1][$0 % most] + underflow(k + 1) },
                "\(set.kernels.name), \(contents), k \(k)")
        }
    }

    /// A pair's result has the same bits alone, in every smaller product, and with rows that stand apart.
    @Test(arguments: InstructionSet.all) func companyDoesNotMatter(_ set: InstructionSet) {
        var random = SplitMix64(seed: 2)
        let most = Self.most
        for k in [1, 5, 8, 15, 16, 17, 31, 33, 64, 100, 257] {
            let (a, b) = (
                AlignedFloats(random.floats(most * (k + 3))), AlignedFloats(random.floats(most * (k + 3)), offset: 4)
            )
            let whole = set.multiply(a.base, most, b.base, most, k, stride: k + 3)
            for m in 0...most {
                for n in 0...most {
                    let part = set.multiply(a.base, m, b.base, n, k, stride: k + 3)
                    let expected = (0..<m).flatMap { whole[$0 * most..<$0 * most + n] }
                    expectSameBits(part, expected, "\(set.kernels.name), k \(k), \(m) by \(n)")
                }
            }
            for (i, j) in [(0, 0), (3, 8), (8, 3), (7, 7)] {
                let pair = set.multiply(a.base + i * (k + 3), 1, b.base + j * (k + 3), 1, k)
                expectSameBits(pair, [whole[i * most + j]], "\(set.kernels.name), k \(k), pair \(i), \(j)")
            }
        }
    }

    /// Results go where they should and nowhere else.
    @Test(arguments: InstructionSet.all) func nothingElseIsWritten(_ set: InstructionSet) {
        for (m, n) in [(1, 1), (4, 4), (5, 3), (9, 7), (0, 5), (5, 0)] {
            let a = [Float](repeating: 1, count: m * 20)
            let b = [Float](repeating: 2, count: n * 20)
            var c = [Float](repeating: -1, count: 10 * 12)
            set.table.multiply(a, 20, m, TK_F32, b, 20, n, 20, &c, 12)
            for i in 0..<10 {
                for j in 0..<12 { #expect(c[i * 12 + j] == (i < m && j < n ? 40 : -1), "\(m) by \(n) at \(i), \(j)") }
            }
        }
    }

    /// NaN and infinity come through, wherever in a vector they stand.
    @Test(arguments: InstructionSet.all) func notNumbersComeThrough(_ set: InstructionSet) {
        for k in [1, 7, 8, 16, 17, 40] {
            for place in [0, k / 2, k - 1] {
                var x = [Float](repeating: 1, count: k)
                let y = [Float](repeating: 1, count: k)
                x[place] = .nan
                #expect(set.multiply(x, 1, y, 1, k)[0].isNaN)
                x[place] = .infinity
                #expect(set.multiply(x, 1, y, 1, k)[0] == .infinity)
            }
        }
    }

    /// Halves are read as they are, at any address.
    @Test(arguments: InstructionSet.all) func halves(_ set: InstructionSet) {
        var random = SplitMix64(seed: 3)
        let most = Self.most
        for k in awkwardLengths {
            let a = random.floats(most * k)
            let b = Stored(random.floats(most * k), TK_F16)
            let norms = [a, b.values].map { rowNorms($0, most) }
            let expected = InstructionSet.plain.multiply(a, most, b.values, most, k)
            expectClose(
                set.multiply(a, most, b.bytes(offset: k % 4), most, k, type: TK_F16), expected.map(Double.init),
                within: { gamma(k + 2) * norms[0][$0 / most] * norms[1][$0 % most] },
                "\(set.kernels.name), halves, k \(k)")
        }
    }

    /// Σ p·v for every number of rows, type and width, and not a float past the end.
    @Test(arguments: InstructionSet.all, Array(1...9)) func weigh(_ set: InstructionSet, _ m: Int) {
        var random = SplitMix64(seed: 4)
        for (width, type) in [1, 7, 8, 15, 16, 17, 24, 63, 64, 65, 96, 128, 130].flatMap({
            [($0, TK_F32), ($0, TK_F16)]
        }) {
            for n in [1, 2, 33] {
                let stride = n + 3
                let p = random.floats(m * stride)
                let v = Stored(random.floats(n * width), type)
                let out = AlignedFloats([Float](repeating: .nan, count: m * width) + [99], offset: 4)
                set.table.weigh(p, stride, m, type, v.bytes(offset: width % 3), width, n, out.base, false)
                let result = out.values
                // In two goes it is the same sum in the same order (plain sums are rounded once more).
                let parts = AlignedFloats([Float](repeating: .nan, count: m * width))
                let half = n / 2 + 1
                set.table.weigh(p, stride, m, type, v.bytes(offset: 1), width, half, parts.base, false)
                set.table.weigh(
                    Array(p[half...]), stride, m, type, v.bytes(offset: 2, from: half * width), width, n - half,
                    parts.base, true)
                if set.kernels.name != "plain" { expectSameBits(parts.values, Array(result.dropLast())) }
                #expect(result[m * width] == 99)
                let values = v.values
                let expected = (0..<m * width).map { i in
                    (0..<n).reduce(0.0) {
                        $0 + Double(p[i / width * stride + $1]) * Double(values[$1 * width + i % width])
                    }
                }
                expectClose(
                    Array(result.dropLast()), expected, within: { _ in gamma(n) * Double(n) },
                    "\(set.kernels.name), \(m) rows, width \(width), n \(n), type \(type.rawValue)")
            }
        }
    }
}

/// Numbers as they are stored, floats or halves, at addresses of a test's choosing.
private final class Stored {
    /// What is stored, rounded to its type.
    let values: [Float]
    private let stored: [UInt8]
    private let size: Int
    private let memory: UnsafeMutableRawPointer

    init(_ floats: [Float], _ type: tk_type) {
        let isHalf = type == TK_F16
        size = isHalf ? 2 : 4
        values = isHalf ? floats.map { Float(Float16($0)) } : floats
        stored = floats.flatMap { value in
            isHalf
                ? withUnsafeBytes(of: Float16(value).bitPattern) { Array($0) }
                : withUnsafeBytes(of: value.bitPattern) { Array($0) }
        }
        memory = .allocate(byteCount: stored.count + 64, alignment: 64)
    }

    deinit { memory.deallocate() }

    /// The numbers from one on, moved to `offset` bytes past an aligned address.
    func bytes(offset: Int, from first: Int = 0) -> UnsafeRawPointer {
        stored.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                (memory + offset).copyMemory(from: base + first * size, byteCount: bytes.count - first * size)
            }
        }
        return UnsafeRawPointer(memory + offset)
    }
}
