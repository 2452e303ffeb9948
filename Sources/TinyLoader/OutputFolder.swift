import TinyTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A folder that is there only once all its files are whole.
///
/// Its files have no name while they are written, as `OutputFile` does it; then a folder beside the place is filled, which
/// takes no longer than giving names does, and moved there in one step.
package final class OutputFolder {
    private let destination: Destination
    private var files: [(name: String, file: OutputFile)] = []

    package init(_ destination: Destination) { self.destination = destination }

    package func file(_ name: String, byteCount: Int) throws(OutputError) -> OutputFile {
        let file = try OutputFile(path: destination.path.parentFolder + "/" + name, byteCount: byteCount)
        files.append((name, file))
        return file
    }

    /// A file that is written at once.
    package func add(_ name: String, _ bytes: [UInt8]) throws(OutputError) {
        let file = try file(name, byteCount: bytes.count)
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(OutputError) in try file.write(bytes, at: 0) }
        }
        try result.get()
    }

    package func publish() throws(OutputError) {
        let path = destination.path
        // What takes time comes first, so that the folder is no more than a moment without its place.
        for (_, file) in files { try file.synchronize() }
        let new = TemporaryName.new(for: path)
        guard mkdir(new, 0o777) == 0 else { throw OutputFile.systemError(path, "cannot be created") }
        let lock = open_(new, O_RDONLY | O_CLOEXEC, 0)
        if lock >= 0 { flock(lock, LOCK_EX | LOCK_NB) }
        defer {
            remove(new)  // what is left of it, or what was there before
            if lock >= 0 { close(lock) }
        }
        for (name, file) in files { try file.publish(as: new + "/" + name, replaces: false) }
        OutputFile.synchronize(new)
        if let kind = FileSystem.kind(of: path), kind != .folder || !FileSystem.names(in: path).isEmpty {
            guard destination.replaces else { throw Destination.existing(path) }
            try exchange(new, path)
        } else {
            try OutputFile.rename(new, to: path)
        }
        OutputFile.synchronize(path.parentFolder)
    }

    /// What was there takes the temporary name, and is removed.
    private func exchange(_ new: String, _ path: String) throws(OutputError) {
        if FileSystem.kind(of: path) == .file {
            // A folder cannot take a file's place in one step.
            throw OutputError(.exists, file: path, "is a file, and a folder would be written; give another name")
        }
        let unknown = FileSystem.names(in: path).filter { FileSystem.kind(of: path + "/" + $0) != .file }
        guard unknown.isEmpty else {
            throw OutputError(
                .exists, file: path,
                "holds the folder \(printable(unknown[0])), which no model has; it is not replaced, give another name")
        }
        guard exchangeNames(new, path) else { throw OutputFile.systemError(path, "cannot be replaced") }
    }

    private func remove(_ folder: String) {
        for name in FileSystem.names(in: folder) { unlink(folder + "/" + name) }
        rmdir(folder)
    }
}
