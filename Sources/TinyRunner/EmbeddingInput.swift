import TinyJSON
package import TinyLoader

/// Texts to make vectors of, from a file or standard input, a bounded number at a time.
package struct EmbeddingInput {
    package enum Format: String, CaseIterable, Sendable {
        /// A text on each line.
        case lines
        /// An object on each line, with the text under a key.
        case jsonl
    }

    /// A text, and the line it stands on.
    package struct Item: Sendable, Equatable {
        package let text: String
        /// From 1.
        package let line: Int
        /// The bytes of the object it comes from, which an output may pass through.
        package let object: [UInt8]?

        package init(text: String, line: Int, object: [UInt8]? = nil) {
            (self.text, self.line, self.object) = (text, line, object)
        }
    }

    package let format: Format
    package let key: String
    private let lines: TextLines

    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - format: by the end of the path if nil: `.jsonl` and `.ndjson` have objects, others lines.
    ///   - key: the text's, in an object.
    package init(path: String, format: Format? = nil, key: String = "text") throws(FormatError) {
        self.format = format ?? (path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson") ? .jsonl : .lines)
        self.key = key
        lines = try TextLines(path: path)
    }

    package var name: String { lines.name }

    /// The part of the input that has been given out; nil where its size is not known.
    package var fractionRead: Double? { lines.byteCount.map { $0 == 0 ? 1 : Double(lines.bytesRead) / Double($0) } }

    /// The next texts: at most `count`, and no more than a few megabytes. None at the end.
    ///
    /// - Throws: `FormatError` with the number of a line that is not UTF-8, or not an object with a text.
    package mutating func next(_ count: Int) throws(FormatError) -> [Item] {
        let start = lines.bytesRead
        var items: [Item] = []
        while items.count < count, lines.bytesRead - start < 4 << 20, let line = try lines.next() {
            switch format {
            case .lines: items.append(Item(text: try text(line), line: lines.number))
            case .jsonl:
                // An empty line between objects is none.
                if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
                items.append(try item(line))
            }
        }
        return items
    }

    private func text(_ line: [UInt8]) throws(FormatError) -> String {
        guard let text = String(validating: line, as: UTF8.self) else {
            throw FormatError(.malformed, file: name, "line \(lines.number) is not valid UTF-8")
        }
        return text
    }

    private func item(_ line: [UInt8]) throws(FormatError) -> Item {
        let value: JSON
        do { value = try JSON(parsing: line) } catch {
            throw FormatError(.malformed, file: name, "line \(lines.number) is \(error)")
        }
        guard let object = value.object else {
            throw FormatError(.malformed, file: name, "line \(lines.number) is \(value.kind), not an object")
        }
        guard let text = object[key]?.string else {
            let found = object[key].map { "is \($0.kind), not a text" } ?? "is not there"
            throw FormatError(.malformed, file: name, "line \(lines.number): the key \(printable(key)) \(found)")
        }
        guard object[EmbeddingOutput.key] == nil else {
            throw FormatError(
                .duplicate, file: name, "line \(lines.number) has a key \"\(EmbeddingOutput.key)\" already")
        }
        return Item(text: text, line: lines.number, object: line)
    }
}
