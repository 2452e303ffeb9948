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
    package static var memoryLimitBytes: Int {
        #if os(Linux)
            return min(memoryBytes, controlGroupMemory() ?? .max)
        #else
            return memoryBytes
        #endif
    }

    /// Cores this process may use: its affinity, and no more than the quota of its control group.
    package static var coreCount: Int {
        var cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let affinity = Int(tk_affinity_count())
        if affinity > 0 { cores = affinity }
        #if os(Linux)
            if let quota = controlGroupQuota() { cores = min(cores, max(1, Int(quota.rounded(.up)))) }
        #endif
        return cores
    }

    /// Numbers of threads that are worth comparing: 1, 2, 4 and so on, up to the cores.
    package static var threadCounts: [Int] {
        let most = coreCount
        return Array(sequence(first: 1) { $0 * 2 }.prefix { $0 < most }) + [most]
    }

    #if os(Linux)
        /// Cores' worth of time that the control group grants, from cgroup v2 or v1; nil without a limit.
        private static func controlGroupQuota() -> Double? {
            if let line = firstLine(of: "/sys/fs/cgroup/cpu.max") {
                let fields = line.split(separator: " ").compactMap { Double($0) }
                return fields.count == 2 && fields[1] > 0 ? fields[0] / fields[1] : nil
            }
            guard let quota = firstLine(of: "/sys/fs/cgroup/cpu/cpu.cfs_quota_us").flatMap({ Double($0) }),
                let period = firstLine(of: "/sys/fs/cgroup/cpu/cpu.cfs_period_us").flatMap({ Double($0) }),
                quota > 0, period > 0
            else { return nil }
            return quota / period
        }

        /// The least that the group of this process and those above it grant, from cgroup v2 or v1; nil without a limit.
        private static func controlGroupMemory() -> Int? {
            var limits: [Int] = []
            func take(_ file: String) {
                if let limit = firstLine(of: file).flatMap({ Int($0) }) { limits.append(limit) }
            }
            take("/sys/fs/cgroup/memory/memory.limit_in_bytes")
            // "0::/user.slice/one.scope"; inside a container as a rule "0::/".
            let group = firstLine(of: "/proc/self/cgroup").flatMap { $0.hasPrefix("0::") ? $0.dropFirst(3) : nil } ?? ""
            var folder = "/sys/fs/cgroup"
            take(folder + "/memory.max")
            for part in group.split(separator: "/") {
                folder += "/" + part
                take(folder + "/memory.max")
            }
            return limits.filter { $0 > 0 }.min()
        }

        private static func firstLine(of path: String) -> String? {
            guard let file = fopen(path, "r") else { return nil }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 1024)
            guard fgets(&line, Int32(line.count), file) != nil else { return nil }
            return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    #endif
}

/// `TINYGPT_ISA` asks for what is not there.
public struct CPUError: Error, Equatable, CustomStringConvertible {
    public let name: String
    let known: [String]
    let supported: [String]

    public var description: String {
        let what = known.contains(name) ? "this processor does not support it" : "there is no such instruction set"
        return "TINYGPT_ISA is \"\(name)\", but \(what); this machine supports \(supported.joined(separator: ", "))"
    }
}
