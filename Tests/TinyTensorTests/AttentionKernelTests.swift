import CTinyKernels
import Testing
import TinyTestSupport

@testable import TinyTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Rows of queries that see different tokens, taken together: each gives what the formula says, and the bits it gives alone.
@Suite struct AttentionKernelTests {
    private static let scale: Float = 0.3
    private static let widths = [1, 5, 16, 32, 64, 80, 128, 256]

    /// The tokens of a head, as floats or as halves.
    private struct Tokens {
        let count: Int
        let width: Int
        let keys: [Float]
        let values: [Float]
        let type: tk_type
        private let storedKeys: [UInt8]
        private let storedValues: [UInt8]

        init(_ count: Int, width: Int, areHalves: Bool, seed: UInt64) {
            var random = SplitMix64(seed: seed)
            func numbers() -> [Float] {
                let floats = random.floats(count * width)
                return areHalves ? floats.map { Float(Float16($0)) } : floats
            }
            func bytes(_ floats: [Float]) -> [UInt8] {
                floats.flatMap { value in
                    areHalves
                        ? withUnsafeBytes(of: Float16(value).bitPattern) { Array($0) }
                        : withUnsafeBytes(of: value.bitPattern) { Array($0) }
                }
            }
            (self.count, self.width) = (count, width)
            (keys, values) = (numbers(), numbers())
            (storedKeys, storedValues) = (bytes(keys), bytes(values))
            type = areHalves ? TK_F16 : TK_F32
        }

        /// - Parameters:
        ///   - biases: `[count]` for each row.
        ///   - sinks: one for each row.
        private func withTerms<Result>(
            cap: Float, biases: [[Float]]?, sinks: [Float]?, _ body: (UnsafePointer<tk_score_terms>) -> Result
        ) -> Result {
            let joined = (biases ?? []).flatMap(\.self)
            return joined.withUnsafeBufferPointer { joined in
                let rows = (biases ?? []).indices.map { row in joined.baseAddress.map { $0 + row * count } }
                return rows.withUnsafeBufferPointer { rows in
                    (sinks ?? []).withUnsafeBufferPointer { values in
                        var terms = tk_score_terms(
                            cap: cap, biases: biases == nil ? nil : rows.baseAddress,
                            sinks: sinks == nil ? nil : values.baseAddress)
                        return body(&terms)
                    }
                }
            }
        }

        func attend(
            _ set: InstructionSet, _ queries: [Float], _ firsts: [Int], _ counts: [Int], cap: Float, biases: [[Float]]?,
            sinks: [Float]?
        ) -> [Float] {
            var scratch = [Float](repeating: .nan, count: tk_attention_floats(firsts.count, count))
            var out = [Float](repeating: .nan, count: firsts.count * width)
            withTerms(cap: cap, biases: biases, sinks: sinks) { terms in
                tk_attend(
                    set.kernels.table, queries, firsts.count, type, storedKeys, storedValues, firsts, counts, width,
                    scale, terms, &scratch, &out)
            }
            return out
        }

        func attend(_ set: InstructionSet, _ queries: [Float], _ firsts: [Int], _ counts: [Int]) -> [Float] {
            let m = firsts.count
            var scratch = [Float](repeating: .nan, count: tk_attention_floats(m, count))
            var out = [Float](repeating: .nan, count: m * width)
            tk_attend(
                set.kernels.table, queries, m, type, storedKeys, storedValues, firsts, counts, width, scale, nil,
                &scratch, &out)
            return out
        }

        /// By the kernels for prompts; tokens are packed in two goes.
        func attendPacked(
            _ set: InstructionSet, _ queries: [Float], _ firsts: [Int], _ counts: [Int], cap: Float = 0,
            biases: [[Float]]? = nil, sinks: [Float]? = nil
        ) -> [Float] {
            let room = count.roundedUp(to: 32)
            var packedKeys = [UInt16](repeating: 0xFFFF, count: room * 2 * width.roundedUp(to: 32))  // NaN
            var packedValues = [UInt16](repeating: 0xFFFF, count: room * width.roundedUp(to: 16))
            let half = count / 2 / 32 * 32
            set.table.pack_tokens(type, storedKeys, storedValues, 0, half, width, &packedKeys, &packedValues)
            set.table.pack_tokens(type, storedKeys, storedValues, half, count, width, &packedKeys, &packedValues)
            var scratch = [Float](repeating: .nan, count: set.table.attend_packed_floats(width))
            var out = [Float](repeating: .nan, count: firsts.count * width)
            withTerms(cap: cap, biases: biases, sinks: sinks) { terms in
                set.table.attend_packed(
                    queries, firsts.count, packedKeys, packedValues, firsts, counts, width, scale, terms, &scratch,
                    &out)
            }
            return out
        }

        /// One row by the formula, in doubles.
        func expected(
            _ query: [Float], _ first: Int, _ count: Int, cap: Double = .infinity, bias: [Float]? = nil,
            sink: Float? = nil
        ) -> [Double] {
            let logits = (first..<count).map { j in
                let score =
                    (0..<width).reduce(0.0) { $0 + Double(query[$1]) * Double(keys[j * width + $1]) } * Double(scale)
                return (cap.isFinite ? cap * tanh(score / cap) : score) + Double(bias?[j] ?? 0)
            }
            let largest = max(logits.max() ?? 0, sink.map(Double.init) ?? -.infinity)
            let powers = logits.map { exp($0 - largest) }
            let sum = powers.reduce(0, +) + (sink.map { exp(Double($0) - largest) } ?? 0)
            return (0..<width).map { c in
                zip(first..<count, powers).reduce(0.0) { $0 + $1.1 / sum * Double(values[$1.0 * width + c]) }
            }
        }
    }

    /// - Parameter bound: of the error of an output, for values of at most 1.
    private func check(
        _ tokens: Tokens, rows m: Int, _ name: String, bound: Double,
        _ attend: ([Float], _ firsts: [Int], _ counts: [Int]) -> [Float]
    ) {
        let width = tokens.width
        var random = SplitMix64(seed: UInt64(m))
        let queries = random.floats(m * width)
        let last = tokens.count
        let firsts = (0..<m).map { [0, min(3, last - 1), last - 1, 0, last / 2][$0 % 5] }
        let counts = (0..<m).map { [1, last, last, min(7, last), last][$0 % 5] }
        let together = attend(queries, firsts, counts)
        for i in 0..<m {
            let query = Array(queries[i * width..<(i + 1) * width])
            let out = Array(together[i * width..<(i + 1) * width])
            let name = "\(name), row \(i) of \(m), width \(width), \(last) tokens"
            expectSameBits(attend(query, [firsts[i]], [counts[i]]), out, name + ", alone")
            expectClose(out, tokens.expected(query, firsts[i], counts[i]), within: { _ in bound }, name)
        }
    }

    // Scores are off by γ_width·‖q‖‖k‖, which the exponential makes relative; then a sum of products of at most 1.
    @Test(arguments: InstructionSet.all, [1, 2, 3, 4, 7, 9]) func rows(_ set: InstructionSet, _ m: Int) {
        for width in Self.widths {
            for (count, areHalves) in [(40, false), (40, true), (64, true), (65, true), (200, true)] {
                let tokens = Tokens(count, width: width, areHalves: areHalves, seed: UInt64(width + count))
                let bound = 2 * gamma(width + 2) * Double(Self.scale) * Double(width) + gamma(count + 16)
                check(tokens, rows: m, set.kernels.name, bound: bound) { tokens.attend(set, $0, $1, $2) }
            }
        }
    }

    /// Caps, biases and sinks, each row with its own, some of them larger than any score.
    @Test(arguments: InstructionSet.all, [1, 5, 12]) func scoreTerms(_ set: InstructionSet, _ m: Int) {
        for (count, areHalves) in [(1, false), (40, false), (65, true), (200, true)] {
            let width = 24
            let tokens = Tokens(count, width: width, areHalves: areHalves, seed: UInt64(m + count))
            var random = SplitMix64(seed: UInt64(m))
            let queries = random.floats(m * width)
            let biases = (0..<m).map { _ in random.floats(count, scale: 3) }
            let sinks = (0..<m).map { [-30, 0.5, 4, 60][$0 % 4] as Float }
            let firsts = (0..<m).map { [0, min(3, count - 1), count / 2][$0 % 3] }
            let counts = (0..<m).map { [count, count, min(count, count / 2 + 1)][$0 % 3] }
            let out = tokens.attend(set, queries, firsts, counts, cap: 0.7, biases: biases, sinks: sinks)
            let bound = 2 * gamma(width + 12) * Double(Self.scale) * Double(width) + gamma(count + 32) + gamma(32) * 3
            for i in 0..<m {
                let query = Array(queries[i * width..<(i + 1) * width])
                let part = Array(out[i * width..<(i + 1) * width])
                expectSameBits(
                    tokens.attend(
                        set, query, [firsts[i]], [counts[i]], cap: 0.7, biases: [biases[i]], sinks: [sinks[i]]), part)
                expectClose(
                    part,
                    tokens.expected(query, firsts[i], counts[i], cap: 0.7, bias: biases[i], sink: sinks[i]),
                    within: { _ in bound }, "row \(i) of \(m), \(count) tokens")
            }
        }
    }

    // Halves of scores of 16 bits between them: 2⁻¹⁶ of ‖q‖‖k‖, as both low parts' product is left out and the low parts are
    // rounded. Probabilities and values are off by 2⁻⁹ each.
    @Test(arguments: InstructionSet.all.filter { $0.table.attend_packed != nil }, [1, 2, 15, 16, 17, 31, 32])
    func packedRows(_ set: InstructionSet, _ m: Int) {
        for width in Self.widths {
            for (count, areHalves) in [(1, false), (31, true), (40, false), (128, true), (129, true), (300, true)] {
                let tokens = Tokens(count, width: width, areHalves: areHalves, seed: UInt64(width + count))
                let bound = (4 * 0x1p-16 + 2 * gamma(width)) * Double(Self.scale) * Double(width) + 2.1 * 0x1p-9
                check(tokens, rows: m, set.kernels.name, bound: bound) { tokens.attendPacked(set, $0, $1, $2) }
            }
        }
    }

    /// The same with caps, biases and sinks, together and each alone, against the kernel that decodes; the bounds are those
    /// of rows without, a score's error being at most what it was before its cap.
    @Test(
        arguments: InstructionSet.all.filter { $0.table.attend_packed != nil },
        [(0.7, false, false), (0, true, false), (0, false, true), (0.7, true, true)] as [(Float, Bool, Bool)])
    func packedScoreTerms(_ set: InstructionSet, _ chosen: (cap: Float, biases: Bool, sinks: Bool)) {
        for (count, width, m) in [(1, 24, 1), (40, 64, 5), (65, 80, 32), (127, 24, 17), (200, 128, 31), (300, 64, 16)] {
            let tokens = Tokens(count, width: width, areHalves: count % 2 == 0, seed: UInt64(m + count))
            var random = SplitMix64(seed: UInt64(m))
            let queries = random.floats(m * width)
            let biases = chosen.biases ? (0..<m).map { _ in random.floats(count, scale: 3) } : nil
            let sinks = chosen.sinks ? (0..<m).map { [-30, 0.5, 4, 60][$0 % 4] as Float } : nil
            let firsts = (0..<m).map { [0, min(3, count - 1), count / 2][$0 % 3] }
            let counts = (0..<m).map { [count, count, min(count, count / 2 + 1)][$0 % 3] }
            let out = tokens.attendPacked(
                set, queries, firsts, counts, cap: chosen.cap, biases: biases, sinks: sinks)
            let reference = tokens.attend(
                set, queries, firsts, counts, cap: chosen.cap, biases: biases, sinks: sinks)
            let bound = (4 * 0x1p-16 + 2 * gamma(width)) * Double(Self.scale) * Double(width) + 2.2 * 0x1p-9
            for i in 0..<m {
                let part = Array(out[i * width..<(i + 1) * width])
                let name = "row \(i) of \(m), width \(width), \(count) tokens"
                let alone = tokens.attendPacked(
                    set, Array(queries[i * width..<(i + 1) * width]), [firsts[i]], [counts[i]], cap: chosen.cap,
                    biases: biases.map { [$0[i]] }, sinks: sinks.map { [$0[i]] })
                expectSameBits(alone, part, name + ", alone")
                expectClose(
                    part, reference[i * width..<(i + 1) * width].map(Double.init), within: { _ in bound }, name)
            }
        }
    }

    /// One key that outweighs all others, late or early: the softmax that goes along comes to the same.
    @Test(arguments: InstructionSet.all.filter { $0.table.attend_packed != nil }, [0, 127, 128, 290])
    func oneLargeScore(_ set: InstructionSet, _ place: Int) {
        let width = 64
        let tokens = Tokens(300, width: width, areHalves: false, seed: 5)
        let query = (0..<width).map { tokens.keys[place * width + $0] * 40 }
        expectClose(
            tokens.attendPacked(set, query, [0], [300]), tokens.expected(query, 0, 300), within: { _ in 2.5 * 0x1p-9 })
    }

    /// What no number is comes out as no number, in its row alone.
    @Test(arguments: InstructionSet.all.filter { $0.table.attend_packed != nil }, [Float.nan, .infinity])
    func notNumbersComeThrough(_ set: InstructionSet, _ bad: Float) {
        let width = 32
        let tokens = Tokens(50, width: width, areHalves: false, seed: 6)
        var queries = [Float](repeating: 0.5, count: 3 * width)
        queries[width + 7] = bad
        let out = tokens.attendPacked(set, queries, [0, 0, 0], [50, 50, 50])
        #expect(out[..<width].allSatisfy { $0.isFinite } && out[(2 * width)...].allSatisfy { $0.isFinite })
        #expect(out[width..<2 * width].allSatisfy { $0.isNaN })
    }
}
