#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where something will be written, checked before any work is done.
package struct Destination {
    package let path: String
    /// Whether what is there gives way.
    package let replaces: Bool

    /// - Parameters:
    ///   - path: a file or folder.
    ///   - inputs: what it is made from, and must not be.
    package init(_ path: String, replaces: Bool, inputs: [String]) throws(OutputError) {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        self.path = path
        self.replaces = replaces
        guard !path.isEmpty, path != ".", path != "..", path != "/" else {
            throw OutputError(.system, file: path, "is no name for an output")
        }
        let parent = path.parentFolder
        guard FileSystem.kind(of: parent) == .folder else {
            throw OutputError(.system, file: path, "the folder \(parent) is not there")
        }
        guard access(parent, W_OK | X_OK) == 0 else {
            throw OutputFile.systemError(path, "nothing can be written in \(parent)")
        }
        let own = Self.identity(path)
        for input in inputs where own != nil && Self.identity(input) == own {
            throw OutputError(.isInput, file: path, "is what would be read; give the output another name")
        }
        if let kind = FileSystem.kind(of: path) {
            let isEmptyFolder = kind == .folder && FileSystem.names(in: path).isEmpty
            guard replaces || isEmptyFolder else { throw Self.existing(path) }
            guard kind != .other else {
                throw OutputError(.exists, file: path, "is neither a file nor a folder, and is not replaced")
            }
        }
        TemporaryName.clear(parent)
    }

    static func existing(_ path: String) -> OutputError {
        OutputError(.exists, file: path, "is there already; give another name, or --force to replace it")
    }

    /// - Throws: kind `noSpace`, with both numbers, if the disk has not enough room.
    package func reserve(_ byteCount: Int) throws(OutputError) {
        var status = statvfs()
        guard statvfs(path.parentFolder, &status) == 0 else { return }  // who cannot say may have room
        let (free, overflow) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        guard overflow || byteCount <= free else {
            throw OutputError(
                .noSpace, file: path,
                "needs \(byteCount) bytes, and the disk has \(free) left; make room, or write elsewhere")
        }
    }

    private struct Identity: Equatable {
        let device: UInt64
        let file: UInt64
    }

    private static func identity(_ path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev), file: UInt64(truncatingIfNeeded: status.st_ino))
    }
}
