#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Held by the one process that brings an index up to date. The system lets it go when that process ends, however it ends.
///
/// A file beside the index: closing any descriptor of the index itself would drop SQLite's own locks on it.
struct IndexLock: ~Copyable {
    private let descriptor: Int32

    /// - Throws: `RetrievalError.busy` where another process holds it.
    init(index: String) throws(RetrievalError) {
        let path = index + "-lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw .systemRefused(path: path, reason: "cannot be opened: \(lastSystemError())")
        }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            let isHeld = errno == EWOULDBLOCK
            let reason = "cannot be locked: \(lastSystemError())"
            throw isHeld ? .busy(path: index) : .systemRefused(path: path, reason: reason)
        }
    }

    deinit { close(descriptor) }
}
