import Foundation

/// What is read as a whole: a file, a pipe or a device by its path, or standard input.
enum InputBytes {
    /// What has more is no text that anybody meant: a device, say, that never ends.
    static let most = 1 << 30

    /// - Parameter path: `-` is standard input.
    /// - Throws: `Failure`, with what the system says, or if there is more than `most`.
    static func read(_ path: String) throws -> [UInt8] {
        let isStandardInput = path == "-"
        let descriptor = isStandardInput ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { if !isStandardInput { close(descriptor) } }
        var (bytes, buffer): ([UInt8], [UInt8]) = ([], .init(repeating: 0, count: 1 << 16))
        while true {
            let count = buffer.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count > 0 {
                bytes += buffer[..<count]
                guard bytes.count <= most else { throw Failure("\(name(path)): has more than \(most) bytes") }
            } else if errno != EINTR {
                throw failure(path)
            }
        }
    }

    /// The same as text.
    static func text(_ path: String) throws -> String {
        let bytes = try read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure("\(name(path)): is not valid UTF-8 at byte \(firstInvalid(bytes) ?? 0)")
        }
        return text
    }

    /// The arguments as the program was given them; the language has repaired those that are not UTF-8.
    ///
    /// - Throws: `Failure` for one that was repaired.
    static func checkArguments() throws {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = CommandLine.unsafeArgv[index] else { continue }
            if let byte = firstInvalid(
                UnsafeBufferPointer(start: argument, count: strlen(argument)).map(UInt8.init(bitPattern:)))
            {
                throw Failure("argument \(index) is not valid UTF-8 at byte \(byte)")
            }
        }
    }

    static func name(_ path: String) -> String { path == "-" ? "standard input" : path }

    private static func failure(_ path: String) -> Failure {
        Failure("\(name(path)): cannot be read: \(String(cString: strerror(errno)))")
    }

    /// Where the first bytes are that stand for no character; nil if all do.
    static func firstInvalid(_ bytes: [UInt8]) -> Int? {
        var (parser, rest, offset) = (Unicode.UTF8.ForwardParser(), bytes.makeIterator(), 0)
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let scalar): offset += scalar.count
            case .error: return offset
            case .emptyInput: return nil
            }
        }
    }
}
