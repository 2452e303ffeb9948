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
            return folders("cpu", read).compactMap { folder, isVersion2 in
                let fields =
                    isVersion2
                    ? numbers(folder + "/cpu.max")
                    : numbers(folder + "/cpu.cfs_quota_us") + numbers(folder + "/cpu.cfs_period_us")
                return fields.count == 2 && fields[0] > 0 && fields[1] > 0 ? fields[0] / fields[1] : nil
            }.min()
        }

        /// Bytes; nil without a limit.
        static func memory(_ read: (String) -> [String] = lines) -> Int? {
            folders("memory", read).compactMap { folder, isVersion2 in
                read(folder + (isVersion2 ? "/memory.max" : "/memory.limit_in_bytes")).first.flatMap { Int($0) }
            }.filter { $0 > 0 }.min()
        }

        /// The folders of a controller's groups, from the root to this process' own.
        private static func folders(
            _ controller: String, _ read: (String) -> [String]
        ) -> [(path: String, isVersion2: Bool)] {
            // "0::/user.slice/one.scope" for version 2, "4:memory:/one/two" for version 1.
            read("/proc/self/cgroup").flatMap { line -> [(String, Bool)] in
                let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                guard fields.count == 3 else { return [] }
                let isVersion2 = fields[1].isEmpty
                guard isVersion2 || fields[1].split(separator: ",").contains(Substring(controller)) else { return [] }
                let root = "/sys/fs/cgroup" + (isVersion2 ? "" : "/" + controller)
                let steps = fields[2].split(separator: "/")
                return (0...steps.count).map { count in
                    (([root] + steps.prefix(count).map(String.init)).joined(separator: "/"), isVersion2)
                }
            }
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
