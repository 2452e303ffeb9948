#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that is there only once it is whole.
///
/// Where the system can, it has no name until it is published, so that a process that is killed leaves nothing. Elsewhere it
/// has a name of `TemporaryName`, which the next run clears away.
package final class OutputFile {
    /// Where it will be.
    package let path: String
    private let descriptor: Int32
    /// The name it has until then; nil if none.
    private var temporary: String?

    /// - Parameters:
    ///   - path: what it will be called; checked by `Destination`.
    ///   - byteCount: its size, known from the start, so that its parts can be written in any order.
    package init(path: String, byteCount: Int) throws(OutputError) {
        self.path = path
        let folder = path.parentFolder
        let (descriptor, temporary) = try Self.open(in: folder, path: path)
        self.descriptor = descriptor
        self.temporary = temporary
        // Held until the process ends: nobody takes the file for one that was left behind.
        flock(descriptor, LOCK_EX | LOCK_NB)
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw Self.systemError(path, "cannot be written") }
    }

    deinit {
        if let temporary { unlink(temporary) }
        close(descriptor)
    }

    private static func open(in folder: String, path: String) throws(OutputError) -> (Int32, String?) {
        #if os(Linux)
            // O_TMPFILE, which is written with a flag that C's header keeps to itself.
            let nameless = open_(folder, O_RDWR | O_CLOEXEC | O_DIRECTORY | 0o20_000_000, 0o666)
            if nameless >= 0 {
                // Without /proc it could never be given a name.
                if access("/proc/self/fd/\(nameless)", F_OK) == 0 { return (nameless, nil) }
                close(nameless)
            }
        #endif
        let name = TemporaryName.new(for: path)
        let named = open_(name, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0o666)
        guard named >= 0 else { throw systemError(path, "cannot be created") }
        return (named, name)
    }

    /// Writes all of `bytes` at a place in the file.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(OutputError) {
        var written = 0
        while written < bytes.count {
            guard let base = bytes.baseAddress else { return }
            let count = pwrite(descriptor, base + written, min(bytes.count - written, 1 << 30), off_t(offset + written))
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.systemError(path, "cannot be written")
            }
            written += count
        }
    }

    /// The file as it is so far, to be read back.
    package func mapped() throws(FormatError) -> MappedFile { try MappedFile(descriptor: descriptor, path: path) }

    /// Makes sure that all is on the disk, and gives the file a name in one step.
    ///
    /// - Parameters:
    ///   - name: another one than `path`, for a file of a folder that is published as a whole.
    ///   - replaces: whether what has that name gives way.
    package func publish(as name: String? = nil, replaces: Bool) throws(OutputError) {
        let name = name ?? path
        try synchronize()
        if let temporary {
            if replaces {
                try Self.rename(temporary, to: name)
            } else {
                guard link(temporary, name) == 0 else { throw Self.linkError(name) }
                unlink(temporary)
            }
            self.temporary = nil
        } else if replaces, FileSystem.kind(of: name) != nil {
            let between = TemporaryName.new(for: name)
            try linkNameless(between)
            do { try Self.rename(between, to: name) } catch {
                unlink(between)
                throw error
            }
        } else {
            try linkNameless(name)
        }
        if name == path { Self.synchronize(name.parentFolder) }
    }

    /// Makes sure that all is on the disk.
    func synchronize() throws(OutputError) {
        guard fsync(descriptor) == 0 else { throw Self.systemError(path, "cannot be written") }
    }

    private func linkNameless(_ name: String) throws(OutputError) {
        guard linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, name, Int32(AT_SYMLINK_FOLLOW)) == 0 else {
            throw Self.linkError(name)
        }
    }

    private static func linkError(_ name: String) -> OutputError {
        errno == EEXIST ? Destination.existing(name) : systemError(name, "cannot be given its name")
    }

    static func rename(_ old: String, to new: String) throws(OutputError) {
        #if canImport(Glibc)
            let result = Glibc.rename(old, new)
        #elseif canImport(Musl)
            let result = Musl.rename(old, new)
        #else
            let result = Darwin.rename(old, new)
        #endif
        guard result == 0 else { throw systemError(new, "cannot be given its name") }
    }

    /// Makes sure that a folder's names are on the disk; some file systems cannot say.
    static func synchronize(_ folder: String) {
        let descriptor = open_(folder, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    static func systemError(_ path: String, _ what: String) -> OutputError {
        let kind: OutputError.Kind = errno == ENOSPC || errno == EDQUOT ? .noSpace : .system
        return OutputError(kind, file: path, "\(what): \(String(cString: strerror(errno)))")
    }
}

/// The system's `open`, which the type's own function would hide.
func open_(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
