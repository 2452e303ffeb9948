package import TinyTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file mapped into memory, read only: its pages come from the system's cache as they are touched.
package struct MappedFile: Sendable {
    package let path: String
    package let storage: Storage

    package var bytes: UnsafeRawBufferPointer { storage.bytes }
    package var count: Int { storage.bytes.count }

    /// - Throws: `FormatError` of kind `unreadable`, with the system's own reason.
    package init(path: String) throws(FormatError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)  // a pipe without a writer must not hang us
        guard descriptor >= 0 else { throw Self.systemError(path, "cannot be opened") }
        defer { close(descriptor) }
        try self.init(descriptor: descriptor, path: path)
    }

    /// - Parameter descriptor: of an open file, which may be closed afterwards.
    init(descriptor: Int32, path: String) throws(FormatError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.systemError(path, "cannot be examined") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw FormatError(.unreadable, file: path, isFolder ? "is a folder, not a file" : "is not a regular file")
        }
        let count = Int(status.st_size)
        self.path = path
        if count == 0 {
            storage = Storage(UnsafeRawBufferPointer(start: nil, count: 0)) { _ in }
            return
        }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw Self.systemError(path, "cannot be mapped into memory")
        }
        storage = Storage(UnsafeRawBufferPointer(start: address, count: count), isMapped: true) {
            munmap(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
        }
    }

    private static func systemError(_ path: String, _ what: String) -> FormatError {
        FormatError(.unreadable, file: path, "\(what): \(String(cString: strerror(errno)))")
    }
}

/// The few questions to the file system that finding a checkpoint takes.
package enum FileSystem {
    package enum Kind { case file, folder, other }

    package static func kind(of path: String) -> Kind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// The system's reason why the last question was not answered.
    package static var lastError: String { "cannot be found: \(String(cString: strerror(errno)))" }

    /// Names in a folder, sorted.
    package static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Where symbolic links lead, if anything is there.
    package static func resolved(_ path: String) -> String {
        guard let end = realpath(path, nil) else { return path }
        defer { free(end) }
        return String(cString: end)
    }

    /// A file itself, or all that a folder has.
    package static func files(at path: String) -> [String] {
        kind(of: path) == .folder ? names(in: path).map { path + "/" + $0 } : [path]
    }

    /// The whole content of a file, which must not be larger than `limit`: for configurations, not for weights.
    package static func read(_ path: String, limit: Int) throws(FormatError) -> [UInt8] {
        let file = try MappedFile(path: path)
        guard file.count <= limit else {
            throw FormatError(.outOfRange, file: path, "has \(file.count) bytes; at most \(limit) are expected here")
        }
        return Array(file.bytes)
    }
}
