import TinyLoader

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where vectors go, as they come. A file gets its name when it is complete.
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
    /// A file that is there once it is whole; nil where what is written is read at once: standard output, a pipe.
    private let whole: OutputFile?
    private var stream: UnsafeMutablePointer<FILE>?
    /// What is not written to `whole` yet, and where it belongs.
    private var waiting: [UInt8] = []
    private var offset = 0
    private var count = 0

    /// - Parameters:
    ///   - path: standard output if nil.
    ///   - width: elements of a vector.
    ///   - inputs: files that are read, and folders whose files may be: none of them gives way.
    package init(path: String?, format: Format, width: Int, inputs: [String]) throws {
        (self.path, self.format, self.width) = (path, format, width)
        let kind = path.flatMap { FileSystem.kind(of: $0) }
        if let path, kind == .folder { throw FormatError(.unreadable, file: path, "is a folder") }
        if let path, kind != .other {
            let destination = try Destination(
                FileSystem.resolved(path), replaces: true, inputs: inputs.flatMap(FileSystem.files(at:)))
            whole = try OutputFile(path: destination.path, byteCount: 0)
        } else {
            if let path, format == .safetensors {
                throw FormatError(.unreadable, file: path, "is no file; safetensors is written to files only")
            }
            whole = nil
            // Standard output anew, so that it can be closed as any other.
            stream = path.map { fopen($0, "wb") } ?? fdopen(dup(1), "wb")
            guard stream != nil else { throw error() }
        }
        if format == .safetensors { try write([UInt8](repeating: UInt8(ascii: " "), count: 8 + Self.headerRoom)) }
    }

    deinit { if let stream { fclose(stream) } }

    /// Adds vectors, with the texts they are of.
    package func add(_ vectors: [[Float]], of items: [EmbeddingInput.Item]) throws {
        precondition(vectors.count == items.count, "\(vectors.count) vectors of \(items.count) texts")
        for (vector, item) in zip(vectors, items) {
            precondition(vector.count == width, "a vector of \(vector.count), not \(width)")
            switch format {
            case .safetensors: try write(vector.map(\.bitPattern.littleEndian).withUnsafeBytes(Array.init))
            case .text: try write(Array((vector.map(\.description).joined(separator: " ") + "\n").utf8))
            case .jsonl: try write(Self.line(vector, item))
            }
        }
        count += vectors.count
        if let stream, fflush(stream) != 0 { throw error() }
    }

    /// Completes the file and gives it its name.
    package func finish() throws {
        if let whole {
            try flush()
            if format == .safetensors {
                let bytes = count * width * 4
                var header = Array(
                    "{\"embeddings\":{\"dtype\":\"F32\",\"shape\":[\(count),\(width)],\"data_offsets\":[0,\(bytes)]}}"
                        .utf8)
                header += Array(repeating: UInt8(ascii: " "), count: max(0, Self.headerRoom - header.count))
                let length = withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init)
                try (length + header).withUnsafeBytes { try whole.write($0, at: 0) }
            }
            return try whole.publish(replaces: true)
        }
        let closed = stream.map { fclose($0) }
        stream = nil
        guard closed == 0 else { throw error() }
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

    private func write(_ bytes: [UInt8]) throws {
        if let stream {
            if fwrite(bytes, 1, bytes.count, stream) != bytes.count { throw error() }
            return
        }
        waiting += bytes
        if waiting.count >= 1 << 20 { try flush() }
    }

    private func flush() throws {
        try waiting.withUnsafeBytes { try whole?.write($0, at: offset) }
        offset += waiting.count
        waiting.removeAll(keepingCapacity: true)
    }

    private func error() -> FormatError {
        FormatError(
            .unreadable, file: path ?? "standard output", "cannot be written: \(String(cString: strerror(errno)))")
    }
}
