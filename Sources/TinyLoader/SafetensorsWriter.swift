import TinyTensor

/// Tensors as Hugging Face lays them out: one safetensors file, or shards with a list of what is where.
package struct SafetensorsWriter {
    private struct Shard {
        var name = ""
        var head: [UInt8] = []
        let tensors: [TensorOutput]
    }

    private let shards: [Shard]
    private let list: [UInt8]?
    package let byteCount: Int

    /// - Parameter shardBytes: tensors of more than this are cut into shards.
    /// - Throws: kind `notPossible` for what the format cannot say.
    package init(tensors: [TensorOutput], shardBytes: Int = 5_000_000_000, path: String) throws(OutputError) {
        var groups: [[TensorOutput]] = [[]]
        var size = 0
        for tensor in tensors {
            if size > 0, size + tensor.byteCount > shardBytes {
                groups.append([])
                size = 0
            }
            groups[groups.count - 1].append(tensor)
            size += tensor.byteCount
        }
        var shards: [Shard] = []
        for (index, group) in groups.enumerated() {
            var shard = Shard(tensors: group)
            shard.name =
                groups.count == 1
                ? "model.safetensors"
                : "model-\(Self.padded(index + 1))-of-\(Self.padded(groups.count)).safetensors"
            shard.head = try Self.head(group, path: path)
            shards.append(shard)
        }
        self.shards = shards
        let total = tensors.reduce(0) { $0 + $1.byteCount }
        if shards.count > 1 {
            var names: [String] = []
            for shard in shards {
                for tensor in shard.tensors { names.append("\(quoted(tensor.name)):\(quoted(shard.name))") }
            }
            list = Array(
                "{\"metadata\":{\"total_size\":\(total)},\"weight_map\":{\n\(names.joined(separator: ",\n"))}}\n".utf8)
        } else {
            list = nil
        }
        byteCount = total + shards.reduce(0) { $0 + $1.head.count } + (list?.count ?? 0)
    }

    private static func padded(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 5 - "\(number)".count)) + "\(number)"
    }

    private static func head(_ tensors: [TensorOutput], path: String) throws(OutputError) -> [UInt8] {
        var text = "{\"__metadata__\":{\"format\":\"pt\"}"
        var offset = 0
        for tensor in tensors {
            let type: String
            switch tensor.content {
            case .elements(.f32), .elements(.f16), .elements(.bf16): type = tensor.content.name
            case .elements:
                throw OutputError(
                    .notPossible, file: path,
                    "tensor \(printable(tensor.name)) is \(tensor.content.name), which safetensors does not have")
            case .other(let name): type = name
            }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            text +=
                ",\(quoted(tensor.name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
                + "\"data_offsets\":[\(offset),\(offset + tensor.byteCount)]}"
            offset += tensor.byteCount
        }
        var header = Array((text + "}").utf8)
        header += [UInt8](repeating: UInt8(ascii: " "), count: header.count.roundedUp(to: 8) - header.count)
        var head: [UInt8] = []
        head.append(littleEndian: UInt64(header.count))
        return head + header
    }

    /// Creates the files in a folder and writes all tensors.
    package func write(to folder: OutputFolder, _ progress: WriteProgress) throws {
        for shard in shards {
            let size = shard.tensors.reduce(shard.head.count) { $0 + $1.byteCount }
            let file = try folder.file(shard.name, byteCount: size)
            try shard.head.withUnsafeBytes { try file.write($0, at: 0) }
            var offset = shard.head.count
            for tensor in shard.tensors {
                try progress.write(tensor, to: file, at: offset)
                offset += tensor.byteCount
            }
        }
        if let list { try folder.add("model.safetensors.index.json", list) }
    }
}

/// A text as JSON writes it.
package func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case _ where scalar.value < 0x20:
            result +=
                "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count)
                + String(scalar.value, radix: 16)
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
