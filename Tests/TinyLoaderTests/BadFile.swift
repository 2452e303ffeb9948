import Testing
import TinyLoader
import TinyTensor
import TinyTestSupport

/// A file that must be refused, and how.
struct BadFile: Sendable, CustomTestStringConvertible {
    let label: String
    let bytes: [UInt8]
    let kinds: Set<FormatError.Kind>
    /// The tensor or key that the error must name.
    let subject: String?
    /// The byte that the error must name.
    let byte: Int?

    init(_ label: String, _ bytes: [UInt8], _ kinds: Set<FormatError.Kind>, subject: String? = nil, byte: Int? = nil) {
        self.label = label
        self.bytes = bytes
        self.kinds = kinds
        self.subject = subject
        self.byte = byte
    }

    var testDescription: String { label }
}

/// The most processor time that refusing a file may take. The limit of the task, with nothing added: even a debug
/// build stays far below it.
let refusalMilliseconds = 100.0

/// Expects `open` to throw one `FormatError` that fits, soon.
func expectRefusal(
    of path: String, kinds: Set<FormatError.Kind>, subject: String? = nil, byte: Int? = nil, named file: String? = nil,
    _ label: String = "", sourceLocation: SourceLocation = #_sourceLocation, open: (String) throws -> Void
) {
    let start = threadMilliseconds()
    do {
        try open(path)
        Issue.record("\(label): was opened", sourceLocation: sourceLocation)
    } catch let error as FormatError {
        #expect(kinds.contains(error.kind), "\(label): \(error)", sourceLocation: sourceLocation)
        #expect(error.file == file ?? path, "\(label): \(error)", sourceLocation: sourceLocation)
        if let subject { #expect(error.name == subject, "\(label): \(error)", sourceLocation: sourceLocation) }
        if let byte { #expect(error.byte == byte, "\(label): \(error)", sourceLocation: sourceLocation) }
        // The message goes to a terminal: short, and nothing in it that the terminal would obey.
        let message = error.description
        #expect(
            message.utf8.count < 1500, "\(label): a message of \(message.utf8.count)", sourceLocation: sourceLocation)
        #expect(
            !message.unicodeScalars.contains { $0.value < 0x20 || 0x7F..<0xA0 ~= $0.value },
            "\(label): \(message.debugDescription)",
            sourceLocation: sourceLocation)
        #expect(message.contains(file ?? path), sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(label): \(error) is no FormatError", sourceLocation: sourceLocation)
    }
    let spent = threadMilliseconds() - start
    #expect(spent < refusalMilliseconds, "\(label): refused after \(spent) ms", sourceLocation: sourceLocation)
}

/// Reads everything that a file which opened can be asked for; the answers do not matter, only that there are some.
func touchEverything(_ index: TensorIndex) {
    for tensor in index.tensors {
        var sum = 0
        for i in stride(from: 0, to: tensor.bytes.count, by: max(1, tensor.bytes.count / 64)) {
            sum += Int(tensor.bytes[i])
        }
        _ = tensor.elementCount
        _ = try? tensor.integers()
        if let matrix = try? tensor.matrix() {
            #expect(matrix.floats().count == matrix.rows * matrix.columns)
            if matrix.rows > 0 { #expect(matrix.row(matrix.rows - 1).count == matrix.rowBytes) }
        }
        #expect(index[tensor.name]?.byteOffset == tensor.byteOffset)
    }
}

func touchEverything(_ gguf: GGUF) {
    for key in gguf.metadata.keys {
        _ = try? gguf.metadata.string(key)
        _ = try? gguf.metadata.texts(key)
        _ = try? gguf.metadata.integer(key)
        _ = try? gguf.metadata.integers(key)
        _ = try? gguf.metadata.bool(key)
    }
    touchEverything(gguf.index)
}
