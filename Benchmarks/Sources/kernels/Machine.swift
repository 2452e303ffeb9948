import CBenchmark
import CTinyKernels

/// Kernels of one instruction set.
struct InstructionSet {
    let table: UnsafePointer<tk_kernels>
    var name: String { String(cString: table.pointee.name) }

    /// Whether it reads prompts with kernels that multiply in tiles.
    var hasTiles: Bool { table.pointee.multiply_rounded != nil }

    /// The arithmetic that bounds a prompt's products with quantized weights or with floats. What plain C comes to is up to
    /// the compiler. With VNNI activations of 15 bits are multiplied as two halves of 8, so that half of it is the most
    /// that can be had.
    func limit(isQuantized: Bool) -> Limit? {
        let wanted =
            switch name {
            case _ where isQuantized && hasTiles: "AMX bf16"
            case "plain": ""
            case "avx2": isQuantized ? "AVX2 8 bits" : "AVX2 float"
            default: isQuantized ? "VNNI 8 bits" : "AVX-512 float"
            }
        return limits.first { $0.name == wanted }
    }
}

/// A loop that does arithmetic only.
struct Limit {
    let loop: UnsafePointer<tk_limit>
    /// As many as take a moment.
    private let rounds: Int
    var name: String { String(cString: loop.pointee.name) }

    init(loop: UnsafePointer<tk_limit>) {
        self.loop = loop
        rounds = 1000 * stepCount(most: 1 << 20) { bench_run_limit(loop, 1000 * $0, 1) }
    }

    /// Gigaoperations a second.
    func rate(threads: Int) -> Double {
        loop.pointee.operations * Double(rounds * threads) * 1e-9 / bench_run_limit(loop, rounds, Int32(threads))
    }
}

struct QuantizedType {
    let type: tk_type
    var name: String { String(cString: bench_type_name(type)) }
}

/// The instruction sets that this build has and this machine can run, best first.
nonisolated(unsafe) let supported = pointers { tk_kernels_at($0) }.filter { tk_is_supported($0) }
    .map(InstructionSet.init)

nonisolated(unsafe) let limits = pointers { tk_limit_at($0) }.filter { $0.pointee.is_supported() }.map(Limit.init)

/// Every type that is stored in blocks.
let quantizedTypes = (0..<TK_TYPE_COUNT.rawValue).map { tk_type(rawValue: $0) }
    .filter { tk_block_elements($0) > 1 }.map(QuantizedType.init)

/// What a table of C's holds, up to its first NULL.
private func pointers<T>(_ entry: (Int32) -> UnsafePointer<T>?) -> [UnsafePointer<T>] {
    var found: [UnsafePointer<T>] = []
    while let next = entry(Int32(found.count)) { found.append(next) }
    return found
}
