import Foundation
import TinyLoader

/// A file that a command writes besides what it prints. It is opened before the work, so that a path that cannot be written to
/// is known at once; it has its name once it is whole, and until then what had it before is there.
///
/// Where a symbolic link leads is what is replaced. A pipe or a device is written to as it is.
final class ResultFile {
    private let path: String
    /// nil for what is no regular file, which `descriptor` stands for.
    private let file: OutputFile?
    private let descriptor: Int32
    /// Who may read and write what was there before.
    private var mode: mode_t?
    private var count = 0

    /// - Throws: `OutputError`, or `Failure` with what the system says.
    init(_ path: String) throws {
        self.path = path
        var status = stat()
        let isThere = stat(path, &status) == 0
        if isThere, status.st_mode & S_IFMT != S_IFREG {
            file = nil
            descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw Failure("\(path): cannot be written: \(String(cString: strerror(errno)))")
            }
        } else {
            let end = realpath(path, nil)
            defer { free(end) }
            file = try OutputFile(path: end.map { String(cString: $0) } ?? path, byteCount: 0)
            descriptor = -1
            if isThere { mode = status.st_mode & 0o7777 }
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func write(_ text: String) throws {
        guard let file else { return try Output.write(text, to: descriptor, name: path) }
        var text = text
        let written = try text.withUTF8 { bytes throws(OutputError) in
            try file.write(UnsafeRawBufferPointer(bytes), at: count)
            return bytes.count
        }
        count += written
    }

    /// Gives it its name.
    func finish() throws {
        guard let file else { return }
        try file.publish(replaces: true)
        if let mode { chmod(file.path, mode) }
    }
}
