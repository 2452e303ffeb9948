#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Names of what is being written, beside where it will be: `.NAME.PROCESS-NUMBER.tinygpt-partial`.
///
/// What has such a name is locked by the process that writes it. Without a lock, and with its process gone, it was left
/// behind, and is removed by the next that writes there.
enum TemporaryName {
    private static let suffix = ".tinygpt-partial"

    static func new(for path: String) -> String {
        "\(path.parentFolder)/.\(path.lastComponent).\(getpid())-\(UInt32.random(in: 0 ... .max))\(suffix)"
    }

    /// Removes what processes that are gone left in a folder.
    static func clear(_ folder: String) {
        for name in FileSystem.names(in: folder) where name.hasPrefix(".") && name.hasSuffix(suffix) {
            let path = folder + "/" + name
            guard let process = process(of: name), kill(process, 0) != 0, errno == ESRCH, !isLocked(path) else {
                continue
            }
            if FileSystem.kind(of: path) == .folder {
                for part in FileSystem.names(in: path) { unlink(path + "/" + part) }
                rmdir(path)
            } else {
                unlink(path)
            }
        }
    }

    private static func process(of name: String) -> pid_t? {
        let number = name.dropLast(suffix.count).split(separator: ".").last?.split(separator: "-").first
        return number.flatMap { pid_t($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Whether someone else holds the lock; a process on another machine may.
    private static func isLocked(_ path: String) -> Bool {
        let descriptor = open_(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }
}
