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

    /// - Parameter inputs: files that the command reads, and folders whose files it may read: none of them gives way.
    /// - Throws: `OutputError`, or `Failure` with what the system says.
    init(_ path: String, inputs: [String]) throws {
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
            let destination = try Destination(
                FileSystem.resolved(path), replaces: true, inputs: inputs.flatMap(FileSystem.files(at:)))
            file = try OutputFile(path: destination.path, byteCount: 0)
            descriptor = -1
            if isThere { mode = status.st_mode & 0o7777 }
        }
    }

    /// Whether both would have the same name in the end.
    func replaces(_ other: ResultFile) -> Bool {
        guard let file, let other = other.file else { return false }
        return URL(fileURLWithPath: file.path).standardized == URL(fileURLWithPath: other.path).standardized
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
