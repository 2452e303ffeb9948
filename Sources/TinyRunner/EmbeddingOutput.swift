package import TinyLoader

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where vectors go, as they come. A file gets its name when it is complete: until then it has another, and is gone if the
/// work fails.
package final class EmbeddingOutput {
    package enum Format: String, CaseIterable, Sendable {
        /// One tensor `embeddings`, F32 `[N, D]`.
        case safetensors
        /// An object on each line: the input's with `embedding` added, or `text` and `embedding`.
        case jsonl
        /// A vector on each line, its numbers with spaces between them.
        case text = "txt"

        /// What the end of a path says.
        package init?(path: String) {
            guard let end = path.split(separator: "/").last?.split(separator: ".").last else { return nil }
            self.init(rawValue: String(end))
        }
    }

    /// The vector's in a line's object.
    static let key = "embedding"
    /// The header of a safetensors file is written at the end, when the number of vectors is known: room for it.
    private static let headerRoom = 192

    private let format: Format
    private let path: String?
    private let width: Int
    /// What the file is called until it is complete; nil where it is written in place.
    private let temporaryPath: String?
    private var file: UnsafeMutablePointer<FILE>?
    private var count = 0
    private var isFinished = false

    /// - Parameters:
    ///   - path: standard output if nil.
    ///   - width: elements of a vector.
    package init(path: String?, format: Format, width: Int) throws(FormatError) {
        (self.path, self.format, self.width) = (path, format, width)
        guard let path else {
            temporaryPath = nil
            file = fdopen(dup(1), "wb")  // anew, so that it can be closed as any other
            guard file != nil else { throw error() }
            return
        }
        let kind = FileSystem.kind(of: path)
        guard kind != .folder else { throw FormatError(.unreadable, file: path, "is a folder") }
        if kind == .other {
            guard format != .safetensors else {
                throw FormatError(.unreadable, file: path, "is no file; safetensors is written to files only")
            }
            temporaryPath = nil
        } else {
            temporaryPath = path + ".\(getpid()).partial"
        }
        file = fopen(temporaryPath ?? path, "wb")
        guard file != nil else { throw error() }
        if format == .safetensors { try write([UInt8](repeating: UInt8(ascii: " "), count: 8 + Self.headerRoom)) }
    }

    deinit {
        if let file { fclose(file) }
        if !isFinished, let temporaryPath { unlink(temporaryPath) }
    }

    /// Adds vectors, with the texts they are of.
    package func add(_ vectors: [[Float]], of items: [EmbeddingInput.Item]) throws(FormatError) {
        precondition(vectors.count == items.count, "\(vectors.count) vectors of \(items.count) texts")
        for (vector, item) in zip(vectors, items) {
            precondition(vector.count == width, "a vector of \(vector.count), not \(width)")
            switch format {
            case .safetensors:
                let bits = vector.map(\.bitPattern.littleEndian)
                if bits.withUnsafeBytes({ fwrite($0.baseAddress, 1, $0.count, file) }) != 4 * width { throw error() }
            case .text: try write(Array((vector.map(\.description).joined(separator: " ") + "\n").utf8))
            case .jsonl: try write(Self.line(vector, item))
            }
        }
        count += vectors.count
        if path == nil, fflush(file) != 0 { throw error() }
    }

    /// Completes the file and gives it its name.
    package func finish() throws(FormatError) {
        if format == .safetensors {
            let bytes = count * width * 4
            var header = Array(
                "{\"embeddings\":{\"dtype\":\"F32\",\"shape\":[\(count),\(width)],\"data_offsets\":[0,\(bytes)]}}".utf8)
            header += Array(repeating: UInt8(ascii: " "), count: max(0, Self.headerRoom - header.count))
            guard let file, fseek(file, 0, SEEK_SET) == 0 else { throw error() }
            try write(withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header)
        }
        let closed = file.map { fclose($0) }
        file = nil
        guard closed == 0 else { throw error() }
        if let temporaryPath, let path, rename(temporaryPath, path) != 0 { throw error() }
        isFinished = true
    }

    /// The object's own bytes, with the vector before its last brace: numbers and order of what is passed through stay.
    private static func line(_ vector: [Float], _ item: EmbeddingInput.Item) -> [UInt8] {
        let numbers = vector.map(\.description).joined(separator: ",")
        guard var line = item.object else {
            return Array("{\"text\":\(quoted(item.text)),\"\(key)\":[\(numbers)]}\n".utf8)
        }
        while let last = line.popLast(), last != UInt8(ascii: "}") {}
        return line + Array(",\"\(key)\":[\(numbers)]}\n".utf8)  // an object with a text is not empty
    }

    /// A text as JSON.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private func write(_ bytes: [UInt8]) throws(FormatError) {
        if fwrite(bytes, 1, bytes.count, file) != bytes.count { throw error() }
    }

    private func error() -> FormatError {
        FormatError(
            .unreadable, file: path ?? "standard output", "cannot be written: \(String(cString: strerror(errno)))")
    }
}
