#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

#if os(Linux)
    /// What the control groups of this process grant it, of version 2 or 1. Groups above one's own count too; inside a container
    /// as a rule nothing of them is seen, and one's own is the root.
    enum ControlGroup {
        /// Cores' worth of time; nil without a limit.
        static func quota(_ read: (String) -> [String] = lines) -> Double? {
            func numbers(_ file: String) -> [Double] {
                read(file).first?.split(separator: " ").compactMap { Double($0) } ?? []
            }
            let fields = numbers("/sys/fs/cgroup/cpu.max")
            if fields.count == 2 && fields[1] > 0 { return fields[0] / fields[1] }
            guard let quota = numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").first,
                let period = numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us").first, quota > 0, period > 0
            else { return nil }
            return quota / period
        }

        /// Bytes; nil without a limit.
        static func memory(_ read: (String) -> [String] = lines) -> Int? {
            // "0::/user.slice/one.scope" for version 2, "4:memory:/one/two" for version 1.
            let limits = read("/proc/self/cgroup").compactMap { line -> Int? in
                let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                guard fields.count == 3 else { return nil }
                if fields[1].isEmpty { return leastLimit("/sys/fs/cgroup", fields[2], "memory.max", read) }
                let isMemory = fields[1].split(separator: ",").contains("memory")
                return isMemory
                    ? leastLimit("/sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes", read) : nil
            }
            return limits.min()
        }

        /// The least number in files of one name, in a folder and on the way down from it.
        private static func leastLimit(
            _ root: String, _ way: Substring, _ name: String, _ read: (String) -> [String]
        ) -> Int? {
            var folder = root
            var limits = [read(folder + "/" + name).first]
            for part in way.split(separator: "/") {
                folder += "/" + part
                limits.append(read(folder + "/" + name).first)
            }
            return limits.compactMap { $0.flatMap { Int($0) } }.filter { $0 > 0 }.min()
        }

        /// The lines of a short file; none if it cannot be read.
        static func lines(of path: String) -> [String] {
            guard let file = fopen(path, "r") else { return [] }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 14)
            let count = fread(&bytes, 1, bytes.count, file)
            return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
#endif
