import TinyJSON
package import TinyLoader

extension ConfigReader {
    /// The keys of GGUF's metadata that describe the architecture, without its name in front.
    package convenience init(_ gguf: GGUF, architecture: String) {
        var values = JSONObject()
        let prefix = architecture + "."
        for key in gguf.metadata.keys where key.hasPrefix(prefix) {
            guard let value = gguf.metadata[key]?.json(gguf.metadata, key: key) else { continue }
            _ = values.append(String(key.dropFirst(prefix.count)), value)  // the reader has refused equal keys
        }
        self.init(values, file: gguf.path, tensors: gguf.index, isGGUF: true)
    }
}

extension GGUFValue {
    fileprivate func json(_ metadata: GGUFMetadata, key: String) -> JSON? {
        switch self {
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .bool(let value): .bool(value)
        case .string(let value): .string(value)
        case .array:
            if let bools = try? metadata.bools(key) {
                .array(bools.map { .bool($0) })
            } else {
                .array((try? metadata.integers(key))?.map { .integer($0) } ?? [])
            }
        }
    }
}
