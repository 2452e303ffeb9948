package import TinyLoader

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The lines of a file or of standard input, read as they are asked for.
package final class TextLines {
    /// What messages call it.
    package let name: String
    /// Bytes of the whole, where that is known.
    package let byteCount: Int?
    /// Bytes of the lines given out.
    package private(set) var bytesRead = 0
    /// The number of the line given out last, from 1.
    package private(set) var number = 0
    private let file: UnsafeMutablePointer<FILE>
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    /// A line longer than this is no line.
    private static let lineLimit = 64 << 20
    private static let blockSize = 1 << 16

    /// - Parameter path: `-` is standard input.
    package init(path: String) throws(FormatError) {
        if path == "-" {
            (name, byteCount) = ("standard input", nil)
            // Opened anew, so that it can be closed as any other.
            guard let file = fdopen(dup(0), "rb") else {
                throw FormatError(.unreadable, file: name, FileSystem.lastError)
            }
            self.file = file
            return
        }
        name = path
        guard FileSystem.kind(of: path) != .folder else { throw FormatError(.unreadable, file: path, "is a folder") }
        guard let file = fopen(path, "rb") else { throw FormatError(.unreadable, file: path, FileSystem.lastError) }
        self.file = file
        var information = stat()
        let isRegular = fstat(fileno(file), &information) == 0 && information.st_mode & S_IFMT == S_IFREG
        byteCount = isRegular ? Int(information.st_size) : nil
    }

    deinit { fclose(file) }

    /// The next line without its end (`\n` or `\r\n`), or nil. What stands behind the last end is a line if it is anything.
    package func next() throws(FormatError) -> [UInt8]? {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { position = end + 1 }
                return take(position..<end, with: 1)
            }
            searched = buffer.count
            if isAtEnd {
                if position == buffer.count { return nil }
                defer { position = buffer.count }
                return take(position..<buffer.count, with: 0)
            }
            guard buffer.count - position <= Self.lineLimit else {
                throw FormatError(
                    .outOfRange, file: name, "line \(number + 1) is longer than \(Self.lineLimit >> 20) MiB")
            }
            searched -= position
            buffer.removeFirst(position)
            position = 0
            try readBlock()
        }
    }

    private func readBlock() throws(FormatError) {
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        let count = fread(&block, 1, block.count, file)
        if count < block.count {
            if ferror(file) != 0 {
                throw FormatError(.unreadable, file: name, "cannot be read: \(String(cString: strerror(errno)))")
            }
            isAtEnd = true
        }
        buffer += block[..<count]
    }

    private func take(_ range: Range<Int>, with end: Int) -> [UInt8] {
        number += 1
        bytesRead += range.count + end
        var line = buffer[range]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        // A mark that some editors write.
        if number == 1 && line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        return Array(line)
    }
}
