import CTinyKernels

/// What this machine can do at most, measured: the two lines of a roofline.
///
/// Williams, Waterman and Patterson 2009, doi:10.1145/1498765.1498785
public struct MachineLimits: Sendable {
    /// Arithmetic of one kind, in registers or tiles, with nothing to wait for.
    public struct Unit: Sendable {
        public let name: String
        /// A multiplication and an addition count as two.
        public let operationsPerSecond: Double
    }

    /// Reading memory that is in no cache, all threads at once.
    public let readBytesPerSecond: Double
    /// What the instruction set in use multiplies with.
    public let units: [Unit]
    /// Of the fastest of them.
    public var operationsPerSecond: Double { units.map(\.operationsPerSecond).max() ?? 0 }

    /// The better of two measurements, as neighbours can only make a machine slower.
    package func better(of other: MachineLimits) -> MachineLimits {
        MachineLimits(
            readBytesPerSecond: max(readBytesPerSecond, other.readBytesPerSecond),
            units: zip(units, other.units).map { $0.operationsPerSecond > $1.operationsPerSecond ? $0 : $1 })
    }

    /// The unit that a kernel computes with.
    package func unit(of use: Use) -> Unit? {
        func named(_ names: String...) -> Unit? {
            names.lazy.compactMap { name in units.first { $0.name == name } }.first
        }
        switch use {
        case .tiles: return named("AMX bf16") ?? unit(of: .floats)
        case .codes: return named("VNNI 8 bits", "AVX2 8 bits") ?? unit(of: .floats)
        case .floats: return named("AVX-512 float", "AVX2 float", "float, 16 bytes")
        }
    }

    /// What a kernel multiplies.
    package enum Use: Sendable {
        /// Numbers of 16 bits in tiles.
        case tiles
        /// Codes of weights by codes of activations; where these are multiplied as two halves of eight bits, half the
        /// unit's speed is the most.
        case codes
        case floats
    }
}

extension Compute {
    /// Measures what the machine can do on this many threads; the best of some tries, some tenths of a second in all.
    package func measureLimits(bytes: Int = 256 << 20) -> MachineLimits {
        let names: [String] =
            switch kernels.name {
            case "amx": ["AVX-512 float", "VNNI 8 bits", "AMX bf16"]
            case "avx512vnni": ["AVX-512 float", "VNNI 8 bits"]
            case "avx2": ["AVX2 float", "AVX2 8 bits"]
            default: ["float, 16 bytes"]
            }
        var units: [MachineLimits.Unit] = []
        var index: Int32 = 0
        while let limit = tk_limit_at(index)?.pointee {
            if names.contains(String(cString: limit.name)), limit.is_supported() { units.append(measure(limit)) }
            index += 1
        }
        // An eighth of the memory is enough to take, and a cache holds less.
        return MachineLimits(readBytesPerSecond: measureReading(min(bytes, CPU.memoryBytes / 8)), units: units)
    }

    private static let tries = 7

    private func measureReading(_ bytes: Int) -> Double {
        let part = bytes / pool.threadCount / 4096 * 4096
        let memory = UnsafeMutableRawPointer.allocate(byteCount: part * pool.threadCount, alignment: 4096)
        defer { memory.deallocate() }
        let base = UInt(bitPattern: memory)  // threads use parts that do not overlap
        func address(_ index: Int) -> UnsafeMutableRawPointer? {
            UnsafeMutableRawPointer(bitPattern: base + UInt(index * part))
        }
        pool.run { address($0)?.initializeMemory(as: UInt8.self, repeating: 1, count: part) }
        let seconds = best { pool.run { _ = tk_read_memory(address($0), part) } }
        return Double(part * pool.threadCount) / seconds
    }

    private func measure(_ limit: tk_limit) -> MachineLimits.Unit {
        guard let loop = limit.run else {
            return MachineLimits.Unit(name: String(cString: limit.name), operationsPerSecond: 0)
        }
        // As many rounds as take two milliseconds.
        var rounds = 1000
        while rounds < 1 << 40, seconds({ _ = loop(rounds) }) < 0.001 { rounds *= 2 }
        rounds *= 2
        let seconds = best { pool.run { _ in _ = loop(rounds) } }
        return MachineLimits.Unit(
            name: String(cString: limit.name),
            operationsPerSecond: limit.operations * Double(rounds * pool.threadCount) / seconds)
    }

    private func best(_ body: () -> Void) -> Double { (0..<Self.tries).map { _ in seconds(body) }.min() ?? 1 }

    private func seconds(_ body: () -> Void) -> Double {
        let begin = tk_nanoseconds()
        body()
        return max(1e-9, Double(tk_nanoseconds() - begin) * 1e-9)
    }
}
