#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The content of a file as text.
///
/// Read, not mapped: a file that someone shortens meanwhile must not end the process.
enum TextFile {
    /// Larger files are logs and data more often than texts, and a file's passages are written at once.
    static let largest = 32 << 20

    struct Unsuitable: Error { let reason: String }

    static func read(_ path: String) -> Result<String, Unsuitable> {
        Result { () throws(Unsuitable) in try text(path) }
    }

    private static func text(_ path: String) throws(Unsuitable) -> String {
        let bytes = try self.bytes(path)
        if let zero = bytes.firstIndex(of: 0) { throw Unsuitable(reason: "is not text: byte \(zero) is zero") }
        do throws(UTF8.ValidationError) { return String(copying: try UTF8Span(validating: bytes.span)) } catch {
            throw Unsuitable(reason: "is not valid UTF-8, at byte \(error.byteOffsets.lowerBound)")
        }
    }

    private static func bytes(_ path: String) throws(Unsuitable) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)  // a pipe without a writer must not hang us
        guard descriptor >= 0 else { throw Unsuitable(reason: "cannot be opened: \(lastSystemError())") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Unsuitable(reason: "is not a regular file")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(Int(status.st_size), largest) + 1)
        var block = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = posixRead(descriptor, &block)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw Unsuitable(reason: "cannot be read: \(lastSystemError())") }
            if count == 0 { return bytes }
            bytes += block[..<count]
            if bytes.count > largest {
                throw Unsuitable(
                    reason: "is larger than \(largest >> 20) MB, the most that is indexed; cut it into several files")
            }
        }
    }

    private static func posixRead(_ descriptor: Int32, _ block: inout [UInt8]) -> Int {
        block.withUnsafeMutableBytes { memory in
            #if canImport(Glibc)
                Glibc.read(descriptor, memory.baseAddress, memory.count)
            #elseif canImport(Musl)
                Musl.read(descriptor, memory.baseAddress, memory.count)
            #else
                Darwin.read(descriptor, memory.baseAddress, memory.count)
            #endif
        }
    }
}
