package import CTinyKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the processor offers, asked for once. Nobody else asks.
package enum CPU {
    /// Kernels of one instruction set.
    package struct Kernels: @unchecked Sendable {
        package let table: UnsafePointer<tk_kernels>
        package var name: String { String(cString: table.pointee.name) }
    }

    /// The instruction sets this machine can run, best first.
    package static let supported: [Kernels] = (0...)
        .lazy.map { tk_kernels_at($0) }.prefix { $0 != nil }
        .compactMap { $0 }.filter { tk_is_supported($0) }.map(Kernels.init(table:))

    /// The instruction sets this build knows, supported or not.
    package static let known: [String] = (0...)
        .lazy.map { tk_kernels_at($0) }.prefix { $0 != nil }
        .compactMap { $0.map { Kernels(table: $0).name } }

    /// The kernels to use: the best, or those that the environment variable `TINYGPT_ISA` names.
    package static func kernels() throws(CPUError) -> Kernels {
        try kernels(named: getenv("TINYGPT_ISA").map { String(cString: $0) })
    }

    package static func kernels(named name: String?) throws(CPUError) -> Kernels {
        guard let name, !name.isEmpty else { return supported[0] }  // "plain" is always there
        guard let kernels = supported.first(where: { $0.name == name }) else {
            throw CPUError(name: name, known: known, supported: supported.map(\.name))
        }
        return kernels
    }

    /// Bytes of memory that the machine has.
    package static let memoryBytes = max(
        1 << 28, Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))))

    /// Bytes of memory that this process may use: the machine's, and no more than its control groups grant.
    package static let memoryLimitBytes: Int = {
        #if os(Linux)
            return min(memoryBytes, ControlGroup.memory() ?? .max)
        #else
            return memoryBytes
        #endif
    }()

    /// Cores this process may use: its affinity, and no more than the quota of its control group.
    package static var coreCount: Int {
        var cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let affinity = Int(tk_affinity_count())
        if affinity > 0 { cores = affinity }
        #if os(Linux)
            if let quota = ControlGroup.quota() { cores = min(cores, max(1, Int(quota.rounded(.up)))) }
        #endif
        return cores
    }

    /// Numbers of threads that are worth comparing: 1, 2, 4 and so on, up to the cores.
    package static var threadCounts: [Int] {
        let most = coreCount
        return Array(sequence(first: 1) { $0 * 2 }.prefix { $0 < most }) + [most]
    }
}

/// `TINYGPT_ISA` asks for what is not there.
public struct CPUError: Error, Equatable, CustomStringConvertible {
    public let name: String
    let known: [String]
    let supported: [String]

    public var description: String {
        let elsewhere = ["avx2", "avx512vnni", "amx", "dotprod"]
        let what =
            known.contains(name)
            ? "this processor does not support it"
            : elsewhere.contains(name) ? "it is another kind of processor's" : "there is no such instruction set"
        return "TINYGPT_ISA is \"\(name)\", but \(what); this machine supports \(supported.joined(separator: ", "))"
    }
}
