#if os(Linux)
    import Testing

    @testable import TinyTensor

    @Suite("Control groups")
    struct ControlGroupTests {
        private func reader(_ files: [String: String]) -> (String) -> [String] {
            { files[$0].map { $0.split(separator: "\n").map(String.init) } ?? [] }
        }

        @Test func memoryOfVersion2() {
            let read = reader([
                "/proc/self/cgroup": "0::/user.slice/one.scope\n", "/sys/fs/cgroup/user.slice/memory.max": "3000000\n",
                "/sys/fs/cgroup/user.slice/one.scope/memory.max": "max\n",
            ])
            #expect(ControlGroup.memory(read) == 3_000_000)
        }

        @Test func memoryInAContainer() {
            #expect(
                ControlGroup.memory(reader(["/proc/self/cgroup": "0::/", "/sys/fs/cgroup/memory.max": "512"])) == 512)
        }

        @Test func memoryOfVersion1() {
            let read = reader([
                "/proc/self/cgroup": "9:cpu,cpuacct:/x\n4:memory:/one/two\n0::/",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
                "/sys/fs/cgroup/memory/one/memory.limit_in_bytes": "800",
                "/sys/fs/cgroup/memory/one/two/memory.limit_in_bytes": "900",
            ])
            #expect(ControlGroup.memory(read) == 800)
        }

        @Test func noLimits() {
            #expect(ControlGroup.memory(reader([:])) == nil)
            #expect(ControlGroup.memory(reader(["/proc/self/cgroup": "nonsense\n0::/a"])) == nil)
            #expect(ControlGroup.quota(reader([:])) == nil)
            #expect(
                ControlGroup.quota(reader(["/proc/self/cgroup": "0::/", "/sys/fs/cgroup/cpu.max": "max 100000"])) == nil
            )
        }

        @Test func quotas() {
            let root = "/sys/fs/cgroup"
            #expect(
                ControlGroup.quota(reader(["/proc/self/cgroup": "0::/", root + "/cpu.max": "150000 100000"])) == 1.5)
            #expect(
                ControlGroup.quota(
                    reader([
                        "/proc/self/cgroup": "3:cpu,cpuacct:/", root + "/cpu/cpu.cfs_quota_us": "50000",
                        root + "/cpu/cpu.cfs_period_us": "100000",
                    ])) == 0.5)
        }

        /// As of a service of systemd with CPUQuota, and of the slice that it is in.
        @Test func quotasOfGroupsOnTheWay() {
            let slice = "/sys/fs/cgroup/system.slice"
            func quota(_ outer: String, _ own: String) -> Double? {
                ControlGroup.quota(
                    reader([
                        "/proc/self/cgroup": "0::/system.slice/one.service", slice + "/cpu.max": outer,
                        slice + "/one.service/cpu.max": own,
                    ]))
            }
            #expect(quota("max 100000", "250000 100000") == 2.5)
            #expect(quota("50000 100000", "250000 100000") == 0.5)
            #expect(quota("max 100000", "max 100000") == nil)
        }
    }
#endif
