#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the process itself takes of the machine.
enum ProcessMemory {
    /// Bytes that are in memory now; nil where the system does not say.
    static var residentBytes: Int? {
        #if os(Linux)
            // Pages: size, resident, ….
            guard let file = fopen("/proc/self/statm", "r") else { return nil }
            defer { fclose(file) }
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = fread(&buffer, 1, buffer.count, file)
            let words = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
            guard words.count > 1, let pages = Int(words[1]) else { return nil }
            return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        #else
            return nil
        #endif
    }
}
