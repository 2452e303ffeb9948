#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How many files and connections the process may have open.
enum FileLimit {
    /// Asks for at least so many, as far as the system lets us.
    ///
    /// - Returns: how many it is.
    static func raise(to count: Int) -> Int {
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return count }
        if limit.rlim_cur < rlim_t(count) {
            let before = limit.rlim_cur
            limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
            if setrlimit(resource, &limit) != 0 { limit.rlim_cur = before }
        }
        return Int(clamping: limit.rlim_cur)
    }
}

/// Seconds since 1970.
enum WallClock {
    static var seconds: Int {
        Int(time(nil))
    }
}
