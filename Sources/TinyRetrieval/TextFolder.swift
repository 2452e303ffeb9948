#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file or folder that was left out, and why.
public struct SkippedFile: Equatable, Sendable {
    /// Its path in the folder that is indexed.
    public let file: String
    public let reason: String
}

/// What a folder holds, with all folders in it.
///
/// Names that begin with a dot are left out in silence, as they are by the shell. Links to files are read; links to
/// folders are not followed, so that none leads round in a circle or out of the folder.
struct TextFolder {
    struct Entry {
        /// With `/` between its parts, from the folder on.
        let path: String
        let stamp: FileStamp
    }

    let path: String
    /// Sorted by path.
    private(set) var entries: [Entry] = []
    private(set) var skipped: [SkippedFile] = []
    /// When the folder was read, in nanoseconds since 1970.
    private let listed: Int

    /// - Throws: `RetrievalError.unreadableFolder`; a folder inside that cannot be read is one of `skipped`.
    init(_ path: String) throws(RetrievalError) {
        self.path = path
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        listed = Int(now.tv_sec) &* 1_000_000_000 &+ Int(now.tv_nsec)
        var pending = [""]
        while let folder = pending.popLast() {
            do throws(Refusal) { try list(folder, &pending) } catch {
                if folder.isEmpty { throw .unreadableFolder(path: path, reason: error.reason) }
                skipped.append(SkippedFile(file: folder, reason: error.reason))
            }
        }
        entries.sort { $0.path < $1.path }
        skipped.sort { $0.file < $1.file }
    }

    /// When a file was changed; nil where that was just now, as a clock's tick may hold another change.
    func settled(_ stamp: FileStamp) -> Int? { stamp.modified < listed - 2_000_000_000 ? stamp.modified : nil }

    func location(of file: String) -> String { file.isEmpty ? path : path + "/" + file }

    private struct Refusal: Error { let reason: String }

    private mutating func list(_ folder: String, _ pending: inout [String]) throws(Refusal) {
        guard let directory = opendir(location(of: folder)) else {
            throw Refusal(reason: "cannot be opened as a folder: \(lastSystemError())")
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    (exact: String(validatingCString: $0), shown: String(cString: $0))
                }
            }
            if name.shown.hasPrefix(".") { continue }
            let prefix = folder.isEmpty ? "" : folder + "/"
            guard let exact = name.exact else {
                skipped.append(SkippedFile(file: prefix + name.shown, reason: "its name is not valid UTF-8"))
                continue
            }
            examine(prefix + exact, &pending)
        }
    }

    private mutating func examine(_ file: String, _ pending: inout [String]) {
        func skip(_ reason: String) { skipped.append(SkippedFile(file: file, reason: reason)) }
        var status = stat()
        guard lstat(location(of: file), &status) == 0 else { return skip("cannot be examined: \(lastSystemError())") }
        let isLink = status.st_mode & S_IFMT == S_IFLNK
        if isLink, stat(location(of: file), &status) != 0 { return skip("is a link that leads nowhere") }
        switch status.st_mode & S_IFMT {
        case S_IFREG: entries.append(Entry(path: file, stamp: FileStamp(status)))
        case S_IFDIR: if isLink { skip("is a link to a folder, which is not followed") } else { pending.append(file) }
        default: skip("is not a regular file")
        }
    }
}

/// What tells without reading whether a file was changed.
struct FileStamp: Equatable, Sendable {
    let size: Int
    /// Nanoseconds since 1970.
    let modified: Int

    init(size: Int, modified: Int) {
        self.size = size
        self.modified = modified
    }

    init(_ status: stat) {
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        size = Int(status.st_size)
        // Before 1678 or after 2262 only its difference from another time means anything.
        modified = Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
    }
}

/// The system's words for why the last call failed.
func lastSystemError() -> String { String(cString: strerror(errno)) }
