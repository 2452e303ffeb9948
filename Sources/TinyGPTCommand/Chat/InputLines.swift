import Foundation

/// Lines from standard input as they come, each told before the next is there.
struct InputLines {
    private var bytes: [UInt8] = []
    private var isAtEnd = false
    /// Of the line told last.
    private(set) var number = 0

    private static let longest = 1 << 26

    /// The next line without its end; nil at the end of input.
    ///
    /// - Throws: `Failure` for a line that is not UTF-8, or longer than any message.
    mutating func next() throws -> String? {
        var searched = 0
        while true {
            if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(bytes[..<end])
                bytes.removeFirst(end + 1)
                return try text(line)
            }
            if isAtEnd {
                if bytes.isEmpty { return nil }
                defer { bytes = [] }
                return try text(bytes)
            }
            searched = bytes.count
            if searched > Self.longest { throw Failure("standard input, line \(number + 1): is longer than 64 MB") }
            try readMore()
        }
    }

    private mutating func readMore() throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = buffer.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
        if count < 0 && errno != EINTR {
            throw Failure("standard input: cannot be read: \(String(cString: strerror(errno)))")
        }
        if count == 0 { isAtEnd = true }
        if count > 0 { bytes += buffer[..<count] }
    }

    private mutating func text(_ line: [UInt8]) throws -> String {
        number += 1
        guard let text = String(validating: line, as: UTF8.self) else {
            throw Failure("standard input, line \(number): is not valid UTF-8")
        }
        return text
    }
}
