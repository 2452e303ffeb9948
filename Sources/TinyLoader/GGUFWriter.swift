import TinyTensor

/// A GGUF file of version 3 to be: its head, and where each tensor's bytes will stand.
package struct GGUFWriter {
    private let tensors: [TensorOutput]
    private let head: [UInt8]
    private let offsets: [Int]
    /// The file's size.
    package let byteCount: Int

    /// - Throws: kind `notPossible` for what the format cannot say.
    package init(metadata: [GGUFEntry], tensors: [TensorOutput], alignment: Int, path: String) throws(OutputError) {
        self.tensors = tensors
        var head = Array("GGUF".utf8)
        head.append(littleEndian: UInt32(3))
        head.append(littleEndian: UInt64(tensors.count))
        head.append(littleEndian: UInt64(metadata.count))
        for entry in metadata {
            head.append(text: entry.key)
            head.append(contentsOf: entry.bytes)
        }
        var offsets: [Int] = []
        var offset = 0
        for tensor in tensors {
            guard tensor.shape.count <= 4 else {
                throw OutputError(
                    .notPossible, file: path,
                    "tensor \(printable(tensor.name)) has \(tensor.shape.count) dimensions; GGUF allows 4")
            }
            guard let type = Self.number(of: tensor.content) else {
                throw OutputError(
                    .notPossible, file: path,
                    "tensor \(printable(tensor.name)) holds \(tensor.content.name), which GGUF does not have")
            }
            head.append(text: tensor.name)
            head.append(littleEndian: UInt32(tensor.shape.count))
            for size in tensor.shape.reversed() { head.append(littleEndian: UInt64(size)) }
            head.append(littleEndian: type)
            head.append(littleEndian: UInt64(offset))
            offsets.append(offset)
            offset += tensor.byteCount.roundedUp(to: alignment)
        }
        head += [UInt8](repeating: 0, count: head.count.roundedUp(to: alignment) - head.count)
        byteCount = head.count + offset
        self.offsets = offsets.map { [start = head.count] in $0 + start }
        self.head = head
    }

    private static func number(of content: StoredTensor.Content) -> UInt32? {
        switch content {
        case .elements(let type): GGUF.elementTypes.first { $0.value == type }?.key
        case .other(let name): GGUF.plainTypes.first { $0.value.0 == name }?.key
        }
    }

    /// Writes the head; the tensors are zeros until they are written.
    package func writeHead(to file: OutputFile) throws(OutputError) {
        let result = head.withUnsafeBytes { head in Result { () throws(OutputError) in try file.write(head, at: 0) } }
        try result.get()
    }

    /// Writes all tensors.
    package func writeTensors(to file: OutputFile, _ progress: WriteProgress) throws {
        for (tensor, offset) in zip(tensors, offsets) {
            try progress.write(tensor, to: file, at: offset)
        }
    }
}

/// Counts what is written, and says so.
package final class WriteProgress {
    package let total: Int
    private var written = 0
    private let report: ((_ tensor: String, _ written: Int, _ total: Int) -> Void)?

    package init(total: Int, report: ((_ tensor: String, _ written: Int, _ total: Int) -> Void)?) {
        self.total = total
        self.report = report
    }

    func write(_ tensor: TensorOutput, to file: OutputFile, at offset: Int) throws {
        var place = offset
        report?(tensor.name, written, total)
        try tensor.write { bytes in
            try file.write(bytes, at: place)
            place += bytes.count
            written += bytes.count
            report?(tensor.name, written, total)
        }
        precondition(
            place == offset + tensor.byteCount, "\(tensor.name): \(place - offset) bytes, not \(tensor.byteCount)")
    }
}
